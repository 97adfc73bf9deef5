//! The packages of the story: a small gLite-like distribution, twice.
//!
//! ```text
//!   glite-UI 3.2.6 ── = voms-clients 1.9.9        glite-UI 3.2.7 ── = voms-clients 1.9.10
//!                  ├─ = glite-wms-ui 3.2.1                       ├─ = glite-wms-ui 3.2.2
//!                  └─ = lcg-infosites 2.6.2                      └─ = lcg-infosites 2.6.2
//!   glite-WN 3.2.4 ── = voms-clients 1.9.9        glite-WN 3.2.5 ── = voms-clients 1.9.10
//!                  └─ = lcg-infosites 2.6.2                      └─ = lcg-infosites 2.6.2
//! ```

use repo::Recipe;

/// The product of the site.
pub const PRODUCT: &str = "glite-3.2";
/// Its only platform.
pub const PLATFORM: &str = "sl5/x86_64";
/// Where production lies below the web root.
pub const PRODUCTION: &str = "glite-3.2/sl5/x86_64/production";
/// Where delta lies below the web root.
pub const DELTA: &str = "glite-3.2/sl5/x86_64/delta";

/// What installing glite-UI brings to a host that draws from the first update.
pub const FIRST_UI: &str =
    "glite-UI-3.2.6-1, glite-wms-ui-3.2.1-1, lcg-infosites-2.6.2-1, voms-clients-1.9.9-1";
/// The same for the second update.
pub const SECOND_UI: &str =
    "glite-UI-3.2.7-1, glite-wms-ui-3.2.2-1, lcg-infosites-2.6.2-1, voms-clients-1.9.10-1";

const INFOSITES: &str = "lcg-infosites = 2.6.2-1";

/// What came with the first update: file names and bytes.
pub fn first_update() -> Vec<(String, Vec<u8>)> {
    built(vec![
        component("voms-clients", "1.9.9", 1_262_304_000, "/usr/bin/voms-proxy-init"),
        component("glite-wms-ui", "3.2.1", 1_262_304_000, "/usr/bin/glite-wms-job-submit"),
        component("lcg-infosites", "2.6.2", 1_259_625_600, "/usr/bin/lcg-infosites").arch("noarch"),
        meta(
            "glite-UI",
            "3.2.6",
            1_262_390_400,
            &[INFOSITES, "voms-clients = 1.9.9-1", "glite-wms-ui = 3.2.1-1"],
        ),
        meta("glite-WN", "3.2.4", 1_262_390_400, &[INFOSITES, "voms-clients = 1.9.9-1"]),
    ])
}

/// What comes with the second update; lcg-infosites stays as it is.
pub fn second_update() -> Vec<(String, Vec<u8>)> {
    built(vec![
        component("voms-clients", "1.9.10", 1_267_401_600, "/usr/bin/voms-proxy-init"),
        component("glite-wms-ui", "3.2.2", 1_267_401_600, "/usr/bin/glite-wms-job-submit"),
        meta(
            "glite-UI",
            "3.2.7",
            1_267_488_000,
            &[INFOSITES, "voms-clients = 1.9.10-1", "glite-wms-ui = 3.2.2-1"],
        ),
        meta("glite-WN", "3.2.5", 1_267_488_000, &[INFOSITES, "voms-clients = 1.9.10-1"]),
    ])
}

/// A package with one program in it.
pub fn component(name: &str, version: &str, built: u32, program: &str) -> Recipe {
    Recipe::new(name, version, "1")
        .arch("x86_64")
        .build_time(built)
        .summary(&format!("The component {name} of the demo"))
        .file(program, format!("#!/bin/sh\necho {name} {version}\n"))
        .change(built, &format!("Release Team <mu@example.org> - {version}-1"), "- made for the demo")
}

/// A node type that pins these.
pub fn meta(name: &str, version: &str, built: u32, pins: &[&str]) -> Recipe {
    let recipe = Recipe::new(name, version, "1")
        .arch("x86_64")
        .build_time(built)
        .summary(&format!("Pins what a {name} node needs"));
    pins.iter().fold(recipe, |recipe, pin| recipe.requires(pin))
}

/// File names and bytes.
pub fn built(recipes: Vec<Recipe>) -> Vec<(String, Vec<u8>)> {
    recipes.into_iter().map(|recipe| (recipe.file_name(), recipe.build())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_are_sound_and_the_same_each_time() {
        for update in [first_update, second_update] {
            for ((name, bytes), again) in update().into_iter().zip(update()) {
                assert_eq!((&name, &bytes), (&again.0, &again.1));
                let head = repo::read_head(&mut bytes.as_slice()).unwrap();
                let facts = repo::FileFacts {
                    size: bytes.len() as u64,
                    digest: repo::sha256(&bytes).into(),
                    mtime: 0,
                    href: name.clone(),
                };
                assert_eq!(repo::package_of(&head, facts).unwrap().nevra.file_name(), name);
            }
        }
    }
}
