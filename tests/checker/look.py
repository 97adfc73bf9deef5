"""A site as the checker sees it: both trees, what was read so far, and where violations go."""

import hashlib
import time
import tomllib

import audit
import authority
import bounded
import candidates
import chain
import debris
import history
import links
import named
import overlaps
import package_signatures
import procedure
import retracted
import sealed
import shelves
import signatures
import spool
import views
from findings import Findings
from oracles import Oracles
from tree import Tree
from words import instant, length


class Site:
    """One look at a site."""

    def __init__(self, root, control=None, told=None, at_rest=False, now=None, oracles=None):
        self.tree = Tree(root)
        self.spool = Tree(control) if control else None
        self.told = told
        self.at_rest = at_rest
        self.now = int((time.time() if now is None else now) * 10**9)
        self.oracles = oracles or Oracles()
        self.findings = Findings()
        self.current = None
        self.chain = {}
        self.listings = {}
        self.views = {}
        self.held = None
        self.taken = None
        self.replayed = {}
        self.unpublished = False
        self._graces = {}

    def broken(self, invariant, path, words):
        self.findings.broken(invariant, path, words)

    def look(self):
        """Looks at everything, and gives the violations."""
        chain.look(self)
        audit.look(self)
        if self.chain:
            sealed.look(self)
            shelves.look(self)
            views.look(self)
            retracted.look(self)
            named.look(self)
            candidates.look(self)
            signatures.look(self)
            package_signatures.look(self)
            links.look(self)
            history.look(self)
            overlaps.look(self)
            authority.look(self)
            procedure.look(self)
            bounded.look(self)
        spool.look(self)
        debris.look(self)
        return self.findings.violations

    def now_in_force(self):
        """The generation that `current` names."""
        return self.chain[self.current]

    def leads_to_the_first(self):
        """Whether the chain could be followed to its beginning: only then is it known what never happened."""
        return bool(self.chain) and next(iter(self.chain.values())).manifest["parent"] is None

    def whole(self):
        """The generations both halves of which are kept, but those that are on their way out."""
        dropped = set(self.now_in_force().manifest["drop_generations"])
        return [one for one in self.chain.values() if one.files is not None and one.number not in dropped]

    def unread(self):
        """The repositories in force whose lists could not be read: nothing can be said about their packages."""
        return self.now_in_force().repositories.keys() - self.listings.get(self.current, {}).keys()

    def place_of(self, repository, package):
        """Where the link of a listed package lies."""
        return f"public/packages/{repository}/{package.href.removeprefix('Packages/')}"

    def link_of(self, repository, package):
        """The link, as manifests write it, of a package in an account."""
        name, version, rest = package["nevra"].rsplit("-", 2)
        file_name = f"{name}-{version.split(':')[-1]}-{rest}.rpm"
        return f"packages/{repository}/{package['pkgid'][:2]}/{package['pkgid'][:16]}/{file_name}"

    def policy_of(self, generation):
        """The configuration a generation was made under; None if it is not there or cannot be read."""
        digest = generation.manifest["policy"]
        data = self.tree.read(f"policy/{digest}.toml")
        if data is None or hashlib.sha256(data).hexdigest() != digest:
            return None
        try:
            return tomllib.loads(data.decode("utf-8"))
        except (ValueError, UnicodeDecodeError):
            return None

    def grace_of(self, generation):
        """How long what is superseded stays, in nanoseconds; None if that cannot be known."""
        digest = generation.manifest["policy"]
        if digest not in self._graces:
            policy = self.policy_of(generation)
            text = (policy or {}).get("site", {}).get("grace", "72h")
            self._graces[digest] = length(text) if policy is not None and isinstance(text, str) else None
        return self._graces[digest]

    def witnessed(self, generation):
        """The instant that had come for sure when a generation was made."""
        clock = generation.account.get("clock")
        return instant(clock["time"]) if clock else generation.created

    def purged(self):
        """What recorded purges took away."""
        if self.taken is None:
            self.taken = Purged(self)
        return self.taken


class Purged:
    """The links that a recorded purge took away: by the digits of their digest, or by the name of the file."""

    def __init__(self, site):
        self.digests = set(site.now_in_force().account.get("purged", []))
        self.shorts = {digest[:16] for digest in self.digests}
        left = [
            package
            for generation in site.chain.values()
            for moves in generation.account["changes"].values()
            for package in moves["left"] + moves["entered"]
            if package["pkgid"] in self.digests
        ]
        self.files = {site.link_of("", package).rsplit("/", 1)[1] for package in left}

    def __contains__(self, link):
        parts = link.split("/")
        if len(parts) == 5 and len(parts[3]) == 16:
            return parts[3] in self.shorts
        return parts[-1] in self.files
