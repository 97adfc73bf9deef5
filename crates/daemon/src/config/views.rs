//! The key `views` of a product: which of its stages have a view for each node type.

use super::code::Code;
use super::fault::{Faults, did_you_mean};
use super::section::Text;
use super::step::DraftStage;

/// Reads the stages that have views: each is one of the product, and named once.
pub(super) fn read(texts: Vec<Text>, stages: &[DraftStage], faults: &mut Faults<'_>) -> Vec<Text> {
    let mut views: Vec<Text> = Vec::new();
    let known: Vec<&str> = stages.iter().map(|stage| stage.name.value.as_str()).collect();
    for text in texts {
        if !known.contains(&text.value.as_str()) {
            let hint = did_you_mean(&text.value, "stages of this product", &known);
            let reason = format!("`views` names the stage {:?}, which does not exist", text.value);
            faults.coded(Code::UnknownStage, text.at, reason, Some(hint));
        } else if views.iter().any(|other| other.value == text.value) {
            let reason = format!("the stage `{}` stands in `views` twice", text.value);
            faults.coded(Code::Twice, text.at, reason, None);
        } else {
            views.push(text);
        }
    }
    views
}

#[cfg(test)]
mod tests {
    use super::super::{Code, Config};

    const SITE: &str = "format = 1\n[site]\nname = \"S\"\nroot = \"/r\"\nspool = \"/s\"\nbase_url = \"http://h\"\n\
         [[product]]\nname = \"p\"\npreset = \"glite\"\nplatforms = [\"el9/x86_64\"]\n";

    #[test]
    fn views_are_of_stages_that_the_product_has() {
        let config = Config::parse(format!("{SITE}views = [\"delta\"]\n").as_bytes(), "f").unwrap();
        assert_eq!(config.layout.products["p"].views, ["delta"]);
        assert_eq!(Config::parse(SITE.as_bytes(), "f").unwrap().layout.products["p"].views, [""; 0]);
    }

    #[track_caller]
    fn refused(line: &str, at: (usize, usize), code: Code, words: &str) {
        let errors = Config::parse(format!("{SITE}{line}").as_bytes(), "f").unwrap_err();
        let [fault] = &errors.faults[..] else { panic!("{errors}") };
        assert_eq!(((fault.line, fault.column), fault.code), (at, code), "{errors}");
        assert!(errors.to_string().contains(words), "{errors}");
    }

    #[test]
    fn views_of_nothing_are_refused_at_their_place() {
        refused("views = [\"delta\", \"dleta\"]\n", (11, 19), Code::UnknownStage, "did you mean `delta`");
        refused("views = [\"delta\", \"delta\"]\n", (11, 19), Code::Twice, "stands in `views` twice");
        refused("views = \"delta\"\n", (11, 9), Code::Value, "views");
    }

    #[test]
    fn no_repository_lies_among_the_views_of_another() {
        let stage = "[[product.stage]]\nname = \"x\"\npath = \"{product}/{os}/{arch}/delta/node-types\"\n";
        let text = format!("{SITE}views = [\"delta\"]\n{stage}");
        let errors = Config::parse(text.as_bytes(), "f").unwrap_err();
        assert!(errors.faults.iter().all(|fault| fault.code == Code::NestedPath), "{errors}");
    }
}
