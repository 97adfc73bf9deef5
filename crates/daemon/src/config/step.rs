//! The stages of a product and the routes between them: what the file says, laid over the preset.

use super::DEFAULT_ROLE;
use super::clients::{self, DraftClients};
use super::closure::{self, DraftClosure};
use super::code::Code;
use super::fault::{Faults, did_you_mean};
use super::network::Network;
use super::product::DraftProduct;
use super::section::{Section, Text};
use super::site::duration;
use super::{name, path};
use jiff::SignedDuration;
use plan::Versions;

/// Where the repositories of a stage lie unless its `path` says otherwise.
const PATH: &str = "{product}/{os}/{arch}/{stage}";

/// What to do instead of a route that leads back.
const FORWARDS: &str = "routes lead forwards; `sluice withdraw` and `sluice revert` take packages back";

/// Is a stage with the places of what it says.
#[derive(Debug)]
pub(super) struct DraftStage {
    pub(super) name: Text,
    pub(super) path: Text,
    pub(super) versions: Versions,
    pub(super) import_roles: Vec<Text>,
    pub(super) withdraw_roles: Option<Vec<Text>>,
    pub(super) revert_roles: Option<Vec<Text>>,
    pub(super) waiver_roles: Vec<Text>,
    pub(super) clients: DraftClients,
    pub(super) restricted: Option<Vec<Network>>,
    /// Whose signatures it demands, if not those that the product says.
    pub(super) signed_by: Option<Vec<Text>>,
    /// Whose signatures its metadata has, if not those that the product says.
    pub(super) metadata_signed_by: Option<Vec<Text>>,
    /// Beside what it is judged, if it is.
    pub(super) closure: Option<DraftClosure>,
    /// Whether advisories stay behind until all they name is there.
    pub(super) holds_advisories: bool,
}

/// Is a route with the places of what it says.
#[derive(Debug)]
pub(super) struct DraftRoute {
    pub(super) from: Text,
    pub(super) to: Text,
    pub(super) roles: Vec<Text>,
    pub(super) overlap: SignedDuration,
    pub(super) soak: SignedDuration,
    pub(super) approvals: Vec<(Text, u32)>,
    pub(super) external: Vec<Text>,
}

/// Is a `[[product.stage]]`: what it leaves out comes from the preset, or is the default.
#[derive(Debug)]
pub(super) struct StageWords {
    name: Text,
    path: Option<Text>,
    versions: Option<Versions>,
    import_roles: Option<Vec<Text>>,
    withdraw_roles: Option<Vec<Text>>,
    revert_roles: Option<Vec<Text>>,
    waiver_roles: Option<Vec<Text>>,
    clients: Option<DraftClients>,
    restricted: Option<Vec<Network>>,
    signed_by: Option<Vec<Text>>,
    metadata_signed_by: Option<Vec<Text>>,
    closure: Option<DraftClosure>,
    holds_advisories: Option<bool>,
}

/// Is a `[[product.route]]`.
#[derive(Debug)]
pub(super) struct RouteWords {
    from: Text,
    to: Text,
    roles: Option<Vec<Text>>,
    overlap: Option<SignedDuration>,
    soak: Option<SignedDuration>,
    approvals: Vec<(Text, u32)>,
    external: Vec<Text>,
}

impl DraftStage {
    /// Makes the stage that says nothing but its name.
    pub(super) fn plain(name: Text) -> Self {
        let path = Text { value: PATH.to_owned(), at: name.at };
        let import_roles = vec![Text { value: DEFAULT_ROLE.to_owned(), at: name.at }];
        let clients = DraftClients::default();
        let versions = Versions::All;
        let (restricted, waiver_roles, signed_by, metadata_signed_by) = (None, Vec::new(), None, None);
        Self {
            name,
            path,
            versions,
            import_roles,
            withdraw_roles: None,
            revert_roles: None,
            waiver_roles,
            clients,
            restricted,
            signed_by,
            metadata_signed_by,
            closure: None,
            holds_advisories: false,
        }
    }

    fn override_by(&mut self, words: StageWords) {
        // Faults in what comes from the preset belong to the line that changed it last.
        self.path.at = words.name.at;
        self.name = words.name;
        self.path = words.path.unwrap_or_else(|| self.path.clone());
        self.versions = words.versions.unwrap_or(self.versions);
        self.restricted = words.restricted;
        self.signed_by = words.signed_by;
        self.metadata_signed_by = words.metadata_signed_by;
        self.closure = words.closure;
        self.holds_advisories = words.holds_advisories.unwrap_or(self.holds_advisories);
        self.import_roles = words.import_roles.unwrap_or_else(|| self.import_roles.clone());
        self.withdraw_roles = words.withdraw_roles.or_else(|| self.withdraw_roles.clone());
        self.revert_roles = words.revert_roles.or_else(|| self.revert_roles.clone());
        self.waiver_roles = words.waiver_roles.unwrap_or_else(|| self.waiver_roles.clone());
        self.clients = words.clients.unwrap_or_else(|| self.clients.clone());
    }
}

impl DraftRoute {
    /// Makes the route that says nothing but where it leads.
    pub(super) fn plain(from: Text, to: Text) -> Self {
        let roles = vec![Text { value: DEFAULT_ROLE.to_owned(), at: from.at }];
        Self {
            from,
            to,
            roles,
            overlap: SignedDuration::ZERO,
            soak: SignedDuration::ZERO,
            approvals: Vec::new(),
            external: Vec::new(),
        }
    }
}

pub(super) fn read_stage(mut section: Section<'_>, faults: &mut Faults<'_>) -> Option<StageWords> {
    let name = section.needed("name", "\"production\"", faults);
    let path = section.text("path", faults);
    let versions = section.text("versions", faults);
    let import_roles = section.texts("import_roles", faults);
    let withdraw_roles = section.texts("withdraw_roles", faults);
    let revert_roles = section.texts("revert_roles", faults);
    let waiver_roles = section.texts("waiver_roles", faults);
    let clients = clients::read(&mut section, faults);
    let restricted = section.texts("restricted", faults);
    let signed_by = section.texts("signed_by", faults);
    let metadata_signed_by = section.texts("metadata_signed_by", faults);
    let advisories = section.text("advisories", faults);
    let closure = closure::read(&mut section, faults);
    section.end(faults);
    let holds_advisories = advisories.and_then(|text| read_advisories(&text, faults));
    let path = path.filter(|path| path::good_template(path, faults));
    let versions = versions.and_then(|text| read_versions(&text, faults));
    let import_roles = import_roles.map(|roles| good_roles(roles, faults));
    let withdraw_roles = withdraw_roles.map(|roles| good_roles(roles, faults));
    let revert_roles = revert_roles.map(|roles| good_roles(roles, faults));
    let waiver_roles = waiver_roles.map(|roles| good_roles(roles, faults));
    let restricted = restricted.map(|texts| networks(texts, faults));
    let name = name.filter(|name| name::good(name, "the stage name", faults))?;
    Some(StageWords {
        name,
        path,
        versions,
        import_roles,
        withdraw_roles,
        revert_roles,
        waiver_roles,
        clients,
        restricted,
        signed_by,
        metadata_signed_by,
        closure,
        holds_advisories,
    })
}

pub(super) fn merge_stages(stages: &mut Vec<DraftStage>, said: Vec<StageWords>, faults: &mut Faults<'_>) {
    let mut seen: Vec<String> = Vec::new();
    for words in said {
        if seen.contains(&words.name.value) {
            let reason = format!("the stage `{}` of this product stands in the file twice", words.name.value);
            faults.coded(Code::Twice, words.name.at, reason, Some("give each stage one table".to_owned()));
            continue;
        }
        seen.push(words.name.value.clone());
        match stages.iter_mut().find(|stage| stage.name.value == words.name.value) {
            Some(stage) => stage.override_by(words),
            None => {
                let mut stage = DraftStage::plain(words.name.clone());
                stage.override_by(words);
                stages.push(stage);
            }
        }
    }
}

pub(super) fn read_route(mut section: Section<'_>, faults: &mut Faults<'_>) -> Option<RouteWords> {
    let from = section.needed("from", "\"delta\"", faults);
    let to = section.needed("to", "\"production\"", faults);
    let roles = section.texts("roles", faults);
    let overlap = section.text("overlap", faults);
    let soak = section.text("soak", faults);
    let approvals = section.sections("approvals", "product.route.approvals", faults);
    let external = section.texts("external", faults).unwrap_or_default();
    section.end(faults);
    let overlap = overlap.and_then(|text| duration(&text, "overlap", faults));
    let soak = soak.and_then(|text| duration(&text, "soak", faults));
    let approvals = approvals.into_iter().filter_map(|section| read_approvals(section, faults)).collect();
    let approvals = once_each(approvals, faults);
    let roles = roles.map(|roles| good_roles(roles, faults));
    Some(RouteWords { from: from?, to: to?, roles, overlap, soak, approvals, external })
}

/// Reads how many people with a role must approve, `{ role = "operations", count = 2 }`.
fn read_approvals(mut section: Section<'_>, faults: &mut Faults<'_>) -> Option<(Text, u32)> {
    let role = section.needed("role", "\"operations\"", faults);
    let count = section.integer("count", faults);
    section.end(faults);
    let role = role.filter(|role| name::good(role, "the role", faults))?;
    match count {
        None => Some((role, 1)),
        Some((count @ 1..=APPROVALS_MAX, _)) => u32::try_from(count).ok().map(|count| (role, count)),
        Some((count, at)) => {
            let reason = format!("`count = {count}` is not a number of people from 1 to {APPROVALS_MAX}");
            faults.add(at, reason, None);
            None
        }
    }
}

/// So many people never approve of one plan.
const APPROVALS_MAX: i64 = 20;

fn once_each(approvals: Vec<(Text, u32)>, faults: &mut Faults<'_>) -> Vec<(Text, u32)> {
    let mut kept: Vec<(Text, u32)> = Vec::new();
    for (role, count) in approvals {
        if kept.iter().any(|(known, _)| known.value == role.value) {
            let reason = format!("the approvals name the role `{}` twice", role.value);
            faults.coded(Code::Twice, role.at, reason, Some("say the whole number once".to_owned()));
            continue;
        }
        kept.push((role, count));
    }
    kept
}

pub(super) fn merge_routes(product: &mut DraftProduct, said: Vec<RouteWords>, faults: &mut Faults<'_>) {
    let mut seen: Vec<(String, String)> = Vec::new();
    for words in said {
        let stages: Vec<&str> = product.stages.iter().map(|stage| stage.name.value.as_str()).collect();
        let mut good = true;
        for end in [&words.from, &words.to] {
            if !stages.contains(&end.value.as_str()) {
                let hint = did_you_mean(&end.value, "stages of this product", &stages);
                let reason = format!("the route names the stage {:?}, which does not exist", end.value);
                faults.coded(Code::UnknownStage, end.at, reason, Some(hint));
                good = false;
            }
        }
        if good && words.from.value == words.to.value {
            let reason = format!("the route leads from `{}` to itself", words.to.value);
            faults.coded(Code::RouteLoop, words.to.at, reason, Some(FORWARDS.to_owned()));
            good = false;
        }
        let ends = (words.from.value.clone(), words.to.value.clone());
        if good && seen.contains(&ends) {
            let reason = format!("the route from `{}` to `{}` stands in the file twice", ends.0, ends.1);
            faults.coded(Code::Twice, words.from.at, reason, Some("give each route one table".to_owned()));
            good = false;
        }
        if !good {
            continue;
        }
        seen.push(ends.clone());
        let mut route = DraftRoute::plain(words.from, words.to);
        route.roles = words.roles.unwrap_or(route.roles);
        route.overlap = words.overlap.unwrap_or_default();
        route.soak = words.soak.unwrap_or_default();
        route.approvals = words.approvals;
        route.external = words.external;
        match product.routes.iter_mut().find(|r| r.from.value == ends.0 && r.to.value == ends.1) {
            Some(known) => *known = route,
            None => product.routes.push(route),
        }
    }
    refuse_loops(&product.routes, faults);
}

/// Refuses routes that lead back to where they come from: a stage would be before and after itself.
fn refuse_loops(routes: &[DraftRoute], faults: &mut Faults<'_>) {
    for (n, route) in routes.iter().enumerate() {
        // The route that closes a loop is the one to blame, and that is the one the file says last.
        let before = &routes[..n];
        let mut way = vec![route.to.value.as_str()];
        let mut reached = 0;
        while let Some(stage) = way.get(reached).copied() {
            reached += 1;
            for next in before.iter().filter(|next| next.from.value == stage) {
                if !way.contains(&next.to.value.as_str()) {
                    way.push(&next.to.value);
                }
            }
        }
        if way.contains(&route.from.value.as_str()) {
            let (from, to) = (&route.from.value, &route.to.value);
            let reason = format!(
                "the route from `{from}` to `{to}` closes a loop: routes lead from `{to}` to `{from}`"
            );
            faults.coded(Code::RouteLoop, route.from.at, reason, Some(FORWARDS.to_owned()));
        }
    }
}

fn read_versions(text: &Text, faults: &mut Faults<'_>) -> Option<Versions> {
    let words: Vec<&str> = text.value.split_whitespace().collect();
    let parsed = match words[..] {
        ["all"] => Some(Versions::All),
        ["newest", number] => number.parse().ok().filter(|n| *n > 0).map(Versions::Newest),
        _ => None,
    };
    if parsed.is_none() {
        let reason = format!("`versions = {:?}` is not understood", text.value);
        let hint = "write \"all\", or \"newest 2\" to list the two newest of each name";
        faults.add(text.at, reason, Some(hint.to_owned()));
    }
    parsed
}

/// Reads what becomes of an advisory of which only some packages come; gives whether it is held.
fn read_advisories(text: &Text, faults: &mut Faults<'_>) -> Option<bool> {
    match text.value.as_str() {
        "cut" => Some(false),
        "hold" => Some(true),
        other => {
            let hint =
                "write \"cut\", and it comes with what is there, or \"hold\", and it comes once all is there";
            faults.add(text.at, format!("`advisories = {other:?}` is not understood"), Some(hint.to_owned()));
            None
        }
    }
}

fn networks(texts: Vec<Text>, faults: &mut Faults<'_>) -> Vec<Network> {
    let mut networks = Vec::new();
    for text in texts {
        match Network::parse(&text.value) {
            Some(network) => networks.push(network),
            None => {
                let hint = "write networks such as \"192.0.2.0/24\" or \"2001:db8::/32\", or addresses";
                faults.add(text.at, format!("{:?} is no network", text.value), Some(hint.to_owned()));
            }
        }
    }
    networks
}

pub(super) fn good_roles(roles: Vec<Text>, faults: &mut Faults<'_>) -> Vec<Text> {
    roles.into_iter().filter(|role| name::good(role, "the role", faults)).collect()
}
