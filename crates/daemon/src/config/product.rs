//! The `[[product]]` tables: presets, and what the file overrides or adds, made into a layout.

use super::DEFAULT_ROLE;
use super::clients;
use super::closure::DraftClosure;
use super::code::Code;
use super::comps::Comps;
use super::fault::{Faults, did_you_mean};
use super::name;
use super::network::Network;
use super::procedure;
use super::rebuilding::{self, Rebuilding};
use super::section::{Section, Text};
use super::step::{self, DraftRoute, DraftStage};
use super::views;
use nevra::Arch;
use plan::{Approvals, Layout, Platform, Procedure, Product, Route, Stage};
use std::collections::BTreeMap;

/// The presets: their stages in order; a route leads from each to the next.
const PRESETS: [(&str, &[&str]); 2] =
    [("glite", &["delta", "production"]), ("egi", &["untested", "testing", "production"])];

/// Is a product with the places of everything in it.
#[derive(Debug)]
pub(super) struct DraftProduct {
    pub(super) name: Text,
    pub(super) platforms: Vec<(Platform, usize)>,
    pub(super) stages: Vec<DraftStage>,
    pub(super) routes: Vec<DraftRoute>,
    /// Whose signatures its stages demand, unless a stage says otherwise.
    pub(super) signed_by: Vec<Text>,
    pub(super) freeze_roles: Vec<Text>,
    /// Of which roles one person each decides that two files may bear one name.
    pub(super) variant_roles: Vec<Text>,
    pub(super) rebuilding: Rebuilding,
    /// The stages that have views.
    pub(super) views: Vec<Text>,
    /// Whose signatures the metadata of its stages has, unless a stage says otherwise.
    pub(super) metadata_signed_by: Vec<Text>,
    /// The procedure, if it has one.
    pub(super) procedure: Option<Procedure>,
}

impl DraftProduct {
    /// Names the keys by which the metadata of a stage is signed.
    pub(super) fn signers<'a>(&'a self, stage: &'a DraftStage) -> &'a [Text] {
        stage.metadata_signed_by.as_ref().unwrap_or(&self.metadata_signed_by)
    }
}

pub(super) fn read(sections: Vec<Section<'_>>, faults: &mut Faults<'_>) -> Vec<DraftProduct> {
    let mut products: Vec<DraftProduct> = Vec::new();
    for section in sections {
        let Some(product) = read_product(section, faults) else {
            continue;
        };
        if let Some(first) = products.iter().find(|p| p.name.value == product.name.value) {
            let (line, _) = faults.line_and_column(first.name.at);
            let reason = format!("the product `{}` stands in the file twice", product.name.value);
            faults.coded(
                Code::Twice,
                product.name.at,
                reason,
                Some(format!("the first one is in line {line}")),
            );
            continue;
        }
        products.push(product);
    }
    products
}

/// Lists the stages that not everybody may read.
pub(super) fn restricted(drafts: &[DraftProduct]) -> BTreeMap<(String, String), Vec<Network>> {
    let stages = drafts.iter().flat_map(|draft| draft.stages.iter().map(move |stage| (draft, stage)));
    stages
        .filter_map(|(draft, stage)| {
            let networks = stage.restricted.clone()?;
            Some(((draft.name.value.clone(), stage.name.value.clone()), networks))
        })
        .collect()
}

/// Names the keys by which the metadata of each stage is signed that has it signed.
pub(super) fn metadata_signed_by(drafts: &[DraftProduct]) -> BTreeMap<(String, String), Vec<String>> {
    let stages = drafts.iter().flat_map(|draft| draft.stages.iter().map(move |stage| (draft, stage)));
    let signed = stages.filter(|(draft, stage)| !draft.signers(stage).is_empty());
    signed
        .map(|(draft, stage)| {
            let names = draft.signers(stage).iter().map(|text| text.value.clone()).collect();
            ((draft.name.value.clone(), stage.name.value.clone()), names)
        })
        .collect()
}

/// Drops the places; a faulty file may give a layout with holes, which is not used further.
pub(super) fn layout(drafts: &[DraftProduct]) -> Layout {
    let values = |texts: &[Text]| texts.iter().map(|text| text.value.clone()).collect::<Vec<_>>();
    let products = drafts.iter().map(|draft| {
        let product = Product {
            name: draft.name.value.clone(),
            platforms: draft.platforms.iter().map(|(platform, _)| platform.clone()).collect(),
            stages: (draft.stages.iter())
                .map(|stage| Stage {
                    name: stage.name.value.clone(),
                    path: stage.path.value.clone(),
                    versions: stage.versions,
                    import_roles: values(&stage.import_roles),
                    withdraw_roles: stage.withdraw_roles.as_deref().map(values),
                    revert_roles: stage.revert_roles.as_deref().map(values),
                    waiver_roles: values(&stage.waiver_roles),
                    clients: stage.clients.clients.clone(),
                    closure: stage.closure.as_ref().map(DraftClosure::plain),
                    holds_advisories: stage.holds_advisories,
                })
                .collect(),
            routes: (draft.routes.iter())
                .map(|route| Route {
                    from: route.from.value.clone(),
                    to: route.to.value.clone(),
                    roles: values(&route.roles),
                    overlap: route.overlap,
                    soak: route.soak,
                    external: values(&route.external),
                    approvals: (route.approvals.iter())
                        .map(|(role, count)| Approvals { role: role.value.clone(), count: *count })
                        .collect(),
                })
                .collect(),
            freeze_roles: values(&draft.freeze_roles),
            variant_roles: values(&draft.variant_roles),
            raising: draft.rebuilding.raising,
            partial_release: draft.rebuilding.partial_release,
            views: values(&draft.views),
            procedure: draft.procedure.clone(),
        };
        (product.name.clone(), product)
    });
    Layout { products: products.collect::<BTreeMap<_, _>>(), ..Layout::default() }
}

/// Collects the files with groups that stages name, by path.
pub(super) fn comps(
    drafts: &[DraftProduct],
    layout: &Layout,
    faults: &Faults<'_>,
) -> BTreeMap<String, Comps> {
    let mut files = BTreeMap::new();
    for repository in layout.repositories() {
        let draft = drafts.iter().find(|draft| draft.name.value == repository.product);
        let stages = draft.into_iter().flat_map(|draft| &draft.stages);
        for stage in stages.filter(|stage| stage.name.value == repository.stage) {
            if let Some(path) = layout.writing(&repository).comps {
                let place = faults.line_and_column(stage.clients.comps_at);
                files.entry(path).or_insert(Comps { place, bytes: None });
            }
        }
    }
    files
}

fn read_product(mut section: Section<'_>, faults: &mut Faults<'_>) -> Option<DraftProduct> {
    let at = section.at;
    let name = section.needed("name", "\"glite-3.2\"", faults);
    let preset = section.text("preset", faults);
    let freeze_roles = section.texts("freeze_roles", faults);
    let variant_roles = section.texts("variant_roles", faults).unwrap_or_default();
    let views = section.texts("views", faults).unwrap_or_default();
    let platforms = match section.texts("platforms", faults) {
        Some(texts) => texts,
        None => {
            section.missing("platforms", "[\"sl5/x86_64\"]", faults);
            return None;
        }
    };
    let signed_by = section.texts("signed_by", faults).unwrap_or_default();
    let metadata_signed_by = section.texts("metadata_signed_by", faults).unwrap_or_default();
    let rebuilding = rebuilding::read(&mut section, preset.as_ref().map(|text| &*text.value), faults);
    let stages = section.sections("stage", "product.stage", faults);
    let routes = section.sections("route", "product.route", faults);
    let procedure = section.section("procedure", faults);
    section.end(faults);

    let name = name.filter(|name| name::good(name, "the product name", faults));
    let mut product = DraftProduct {
        name: name.unwrap_or(Text { value: String::new(), at }),
        platforms: read_platforms(platforms, at, faults),
        stages: Vec::new(),
        routes: Vec::new(),
        signed_by,
        freeze_roles: match freeze_roles {
            Some(roles) => step::good_roles(roles, faults),
            None => vec![Text { value: DEFAULT_ROLE.to_owned(), at }],
        },
        variant_roles: several_roles(variant_roles, faults),
        rebuilding,
        views: Vec::new(),
        metadata_signed_by,
        procedure: None,
    };
    if let Some(preset) = preset {
        apply_preset(&preset, &mut product, faults);
    }
    let stages = stages.into_iter().filter_map(|section| step::read_stage(section, faults)).collect();
    step::merge_stages(&mut product.stages, stages, faults);
    if product.stages.is_empty() {
        let hint = "add `preset = \"glite\"`, `preset = \"egi\"`, or a [[product.stage]]";
        faults.add(at, "the product has no stages", Some(hint.to_owned()));
    }
    let routes = routes.into_iter().filter_map(|section| step::read_route(section, faults)).collect();
    step::merge_routes(&mut product, routes, faults);
    product.views = views::read(views, &product.stages, faults);
    product.procedure =
        procedure.and_then(|section| procedure::read(section, (&product.stages, &product.routes), faults));
    for stage in &product.stages {
        clients::check_systems(&stage.clients, &product.platforms, faults);
    }
    (!product.name.value.is_empty()).then_some(product)
}

/// Reads the roles that decide together: each once, and never one alone.
fn several_roles(roles: Vec<Text>, faults: &mut Faults<'_>) -> Vec<Text> {
    let mut several: Vec<Text> = Vec::new();
    for role in step::good_roles(roles, faults) {
        if several.iter().any(|other| other.value == role.value) {
            let reason = format!("the role `{}` stands in `variant_roles` twice", role.value);
            let hint = "one person of each role decides; name different roles".to_owned();
            faults.coded(Code::Twice, role.at, reason, Some(hint));
            continue;
        }
        several.push(role);
    }
    if let [alone] = several.as_slice() {
        let reason = format!("`variant_roles` names `{}` alone", alone.value);
        let hint = "a variant takes two people: name two roles, such as [\"release-team\", \"operations\"]";
        faults.add(alone.at, reason, Some(hint.to_owned()));
    }
    several
}

fn read_platforms(texts: Vec<Text>, at: usize, faults: &mut Faults<'_>) -> Vec<(Platform, usize)> {
    if texts.is_empty() {
        let hint = "write for example `platforms = [\"sl5/x86_64\"]`".to_owned();
        faults.add(at, "the product has no platforms", Some(hint));
    }
    let mut platforms: Vec<(Platform, usize)> = Vec::new();
    for text in texts {
        let Some(platform) = platform(&text, faults) else {
            continue;
        };
        if platforms.iter().any(|(other, _)| *other == platform) {
            faults.coded(
                Code::Twice,
                text.at,
                format!("the platform `{platform}` stands in the list twice"),
                None,
            );
            continue;
        }
        platforms.push((platform, text.at));
    }
    platforms
}

fn platform(text: &Text, faults: &mut Faults<'_>) -> Option<Platform> {
    let (os, arch) = text.value.split_once('/').unwrap_or_default();
    let good = name::wrong(os).is_none() && name::wrong(arch).is_none();
    let arch_parsed = arch.parse::<Arch>().ok().filter(|arch| !arch.is_source() && arch.as_str() != "noarch");
    if let (true, Some(arch)) = (good, arch_parsed) {
        return Some(Platform { os: os.to_owned(), arch });
    }
    let hint = match arch {
        "noarch" => "noarch packages go into every architecture by themselves",
        "src" | "nosrc" => "source packages go into the sibling repository by themselves",
        _ => "write operating system and architecture, as in \"sl5/x86_64\"",
    };
    let reason = format!("{:?} is not a platform", text.value);
    faults.add(text.at, reason, Some(hint.to_owned()));
    None
}

fn apply_preset(preset: &Text, product: &mut DraftProduct, faults: &mut Faults<'_>) {
    let Some((_, stages)) = PRESETS.iter().find(|(name, _)| *name == preset.value) else {
        let names = PRESETS.map(|(name, _)| name);
        let hint = did_you_mean(&preset.value, "presets", &names);
        faults.add(preset.at, format!("there is no preset {:?}", preset.value), Some(hint));
        return;
    };
    let text = |value: &str| Text { value: value.to_owned(), at: preset.at };
    product.stages = stages.iter().map(|stage| DraftStage::plain(text(stage))).collect();
    product.routes = stages.windows(2).map(|pair| DraftRoute::plain(text(pair[0]), text(pair[1]))).collect();
}
