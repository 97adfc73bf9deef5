//! Words that packages are called and described with.

use fastrand::Rng;

/// What packages are about.
pub const SUBJECTS: &str = "acl aide alsa amber anchor apache archer argus aspell atlas attr audit aurora autofs avahi badger \
     basalt bash bay beacon bind birch bison blas boost borg bridge brook bzip cairo caldera canna capstone carbon cedar \
     celery chrony cinder clamav clover cobalt colord comet copper coral cracklib crystal cups curl cyrus dashi davfs dbus \
     delta deltarpm dnsmasq dovecot drift dusk dyninst ebtables ecryptfs elfutils elm ember emacs enchant eos ethtool evince \
     exim expat falcon fern fftw file firefly flatpak flint flux fontconfig freetype frost fuse gamin gawk gdal gdbm geoclue \
     ghost gimp ginkgo glacier glade glib glite gnutls gpgme granite graphite grep gsl gtk hadron harbor harfbuzz hazel heron \
     hiera hunspell hwloc icu ilmbase indigo iperf ipset iris iron ivy jade jansson jasper jbig juniper kafka kernel kestrel \
     keyutils krb lagoon lapack larch lasso lattice ldap leptonica lichen lilac linden lotus lua lynx lzo magpie mailman maple \
     marble mariadb mesa meson mint mosaic moss mpich mutt myrtle nautilus ncurses nebula nettle nginx nova numactl oak obsidian \
     ocean onyx opal openal opencv openldap openmpi orbit orchid orion osprey otter pango papyrus parted pebble pegasus perch \
     pine pixman plum podman polkit poplar postfix prism procps pulsar quartz quill quota raven redis reed ridge rsync ruby \
     saffron sage samba sapphire sequoia shadow sigma silica slate snappy spruce squid stellar storm strace sudo sumac \
     swift talloc tamarisk tevent thicket thrift tidal tiff topaz trace umbra unbound valley varnish velvet vim voms \
     walnut wayland willow wren xerces xfs yarrow zephyr zinc zlib";

/// What sentences are made of, with those above.
pub const PHRASES: &str = "the a of to and in for is with that this by on from are be or as it which can used provides package \
     contains library libraries files needed development headers programs tools support implementation interface client server \
     documentation applications using system user users network data format simple fast portable small high performance free \
     open source standard common language bindings module modules runtime shared static utilities command line graphical \
     configuration management storage distributed protocol access control security authentication encryption monitoring \
     parallel scientific computing grid jobs resource information services remote secure file transfer database queries \
     processing analysis visualization images audio video text parser generator compiler debugger framework plugins";

/// What happens in a changelog.
pub const DEEDS: &str = "Rebuilt_for Update_to Fix_crash_in Add_support_for Drop_patch_for Backport_fix_for Remove_obsolete \
     Resolves:_rhbz Security_fix_for Use_system Do_not_link_against Correct_path_of Split_out Require_newer Clean_up \
     Enable_tests_of Fix_FTBFS_with Move_documentation_of Workaround_for Revert_change_of";

/// Who writes them.
pub const PEOPLE: &str = "Ann_Archer Bob_Bennett Carla_Conti David_Dvorak Elena_Esposito Frank_Fischer Giulia_Gallo Hans_Huber \
     Ines_Ibarra Jan_Jansen Karel_Kovar Laura_Lehmann Marco_Moretti Nadia_Novak Olaf_Olsen Paula_Pereira Quentin_Quist \
     Rosa_Ricci Stefan_Schulz Teresa_Torres Ulf_Ullmann Vera_Vogel Walter_Weiss Xenia_Xu Yves_Yvon Zoe_Zeman";

/// Chooses a word of a list.
pub fn any(chance: &mut Rng, words: &'static str) -> &'static str {
    let count = words.split_whitespace().count();
    words.split_whitespace().nth(chance.usize(..count)).unwrap_or_default()
}

/// Makes a sentence of so many words, without a full stop.
pub fn sentence(chance: &mut Rng, words: usize) -> String {
    let mut out = String::new();
    for place in 0..words {
        let list = if chance.u8(..) < 40 { SUBJECTS } else { PHRASES };
        let word = any(chance, list);
        match word.split_at_checked(1) {
            Some((first, rest)) if place == 0 => out.extend([&*first.to_uppercase(), rest]),
            _ => out.extend([" ", word]),
        }
    }
    out
}

/// Makes a number in hexadecimal digits.
pub fn hexadecimal(chance: &mut Rng, digits: usize) -> String {
    (0..digits).map(|_| chance.digit(16)).collect()
}
