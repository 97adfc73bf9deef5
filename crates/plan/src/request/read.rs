//! Reading a request: bytes that a stranger wrote, until they are typed.

use serde::de::IgnoredAny;

use super::signed;
use super::steps::{self, STEPS};
use super::wire::{self, COMMON, Head, OWN, Wire};
use super::{Action, Advised, FORMAT, Format, Reference, Request, check_text, upload_parts};
use crate::decide::{is_pattern, wrong_pattern};
use crate::near::nearest;
use crate::refusal::{Code, Refusal};

/// The largest request, in bytes.
pub const SIZE_MAX: usize = 64 * 1024;

/// The most selectors, files or platforms one request may name.
const LIST_MAX: usize = 1000;

/// The most patterns one request may name: each is held against every name of a stage.
const PATTERNS_MAX: usize = 100;

/// Says whether the writer of a request is through with it: TOML ends with the line `[end]`, JSON is one
/// whole value.
///
/// Also `true` where no further byte could make the request a good one, so that it is refused at once.
pub fn is_complete(bytes: &[u8], format: Format) -> bool {
    if signed::is_cut_short(bytes) {
        return bytes.len() > SIZE_MAX;
    }
    let (bytes, _) = signed::split(bytes);
    bytes.len() > SIZE_MAX
        || match format {
            Format::Toml => ends_with_end(bytes),
            Format::Json => match serde_json::from_slice::<IgnoredAny>(bytes) {
                Ok(_) => true,
                Err(error) if error.is_eof() => false,
                Err(error) => offset(bytes, error.line(), error.column()) < bytes.trim_ascii_end().len(),
            },
        }
}

fn ends_with_end(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_end();
    let last = bytes.rsplit(|&b| b == b'\n').next().unwrap_or_default();
    last.trim_ascii() == b"[end]"
}

/// Finds the byte of a line and column, both counted from 1.
fn offset(bytes: &[u8], line: usize, column: usize) -> usize {
    let before: usize = bytes.split(|&b| b == b'\n').take(line.saturating_sub(1)).map(|l| l.len() + 1).sum();
    before + column
}

/// Reads a request.
///
/// # Errors
///
/// `truncated`, `too-large`, `malformed`, `unknown-key`, `unknown-action` or `wrong-format`, with the line
/// where one can be named. Whether products, stages and packages exist is not looked at.
pub fn parse(bytes: &[u8], format: Format) -> Result<Request, Refusal> {
    if bytes.len() > SIZE_MAX {
        return Err(Refusal::new(Code::TooLarge, format!("the request is larger than {SIZE_MAX} bytes")));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Refusal::new(Code::NotUtf8, format!("the request is not UTF-8 from byte {} on", error.valid_up_to()))
            .hint("save the file as UTF-8; names and reasons may hold any letters then")
    })?;
    if !is_complete(bytes, format) {
        return Err(truncated(format));
    }
    if format == Format::Json && !text.trim_start().starts_with('{') {
        return Err(Refusal::new(Code::Malformed, "the request is not a JSON object"));
    }
    let document = Document { text, format };
    let head: Head = document.take("")?;
    match head.format {
        Some(FORMAT) => {}
        Some(other) => return Err(wrong_format(&format!("the request says `format = {other}`"))),
        None => return Err(wrong_format("the request does not say which format it has")),
    }
    let Some(action) = head.action else {
        let refusal = Refusal::new(Code::Malformed, "the request does not say which `action` it wants");
        return Err(refusal.hint(format!("actions are {}", quoted(&Action::NAMES))));
    };
    let request = match action.as_str() {
        "import" => document.request::<wire::Import>(&action),
        "adopt" => document.request::<wire::Adopt>(&action),
        "promote" => document.request::<wire::Promote>(&action),
        "rollback" => document.request::<wire::Rollback>(&action),
        "withdraw" => document.request::<wire::Withdraw>(&action),
        "revert" => document.request::<wire::Revert>(&action),
        "undo" => document.request::<wire::Undo>(&action),
        "keep" => document.request::<wire::Keep>(&action),
        "sweep" => document.request::<wire::Sweep>(&action),
        "overlap" => document.request::<wire::Overlap>(&action),
        "waive" => document.request::<wire::Waive>(&action),
        "end-waiver" => document.request::<wire::EndWaiver>(&action),
        "freeze" => document.request::<wire::Freeze>(&action),
        "thaw" => document.request::<wire::Thaw>(&action),
        "approve" => document.request::<wire::Approve>(&action),
        "variant" => document.request::<wire::Variant>(&action),
        "end-variant" => document.request::<wire::EndVariant>(&action),
        "advisory" => document.request::<wire::Advisory>(&action),
        "end-advisory" => document.request::<wire::EndAdvisory>(&action),
        "accept-clock" => document.request::<wire::AcceptClock>(&action),
        "purge" => document.request::<wire::Purge>(&action),
        "resume" => document.request::<wire::Resume>(&action),
        "config" => document.request::<wire::Config>(&action),
        _ => steps::read(&document, &action).unwrap_or_else(|| Err(unknown_action(&action))),
    }?;
    check(&request)?;
    Ok(request)
}

fn truncated(format: Format) -> Refusal {
    match format {
        Format::Toml => Refusal::new(Code::Truncated, "the request does not end with the line `[end]`").hint(
            "a TOML request ends with the line `[end]`, so that one cut short is not taken for a whole one",
        ),
        Format::Json => Refusal::new(Code::Truncated, "the request ends in the middle of a JSON value"),
    }
}

fn wrong_format(sentence: &str) -> Refusal {
    Refusal::new(Code::WrongFormat, sentence).hint(format!("this program reads `format = {FORMAT}`"))
}

fn unknown_action(action: &str) -> Refusal {
    let sentence = format!("there is no action `{}`", action.escape_debug());
    let names: Vec<&str> = Action::NAMES.into_iter().chain(STEPS.iter().map(|(name, _)| *name)).collect();
    let near = nearest(action, names.iter().copied());
    let meant = near.first().map(|near| format!("did you mean `{near}`; ")).unwrap_or_default();
    Refusal::new(Code::UnknownAction, sentence).hint(format!("{meant}actions are {}", quoted(&names)))
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

pub(super) struct Document<'a> {
    text: &'a str,
    format: Format,
}

impl Document<'_> {
    pub(super) fn request<W: Wire>(&self, action: &str) -> Result<Request, Refusal> {
        let (request, has_end) = self.take::<W>(action)?.into_request();
        match (self.format, has_end) {
            (Format::Toml, true) | (Format::Json, false) => Ok(request),
            (Format::Toml, false) => Err(truncated(Format::Toml)),
            (Format::Json, true) => Err(unknown_key("end", None, action)),
        }
    }

    /// Reads the whole text as one type. What `action` knows is told if a key is unknown.
    fn take<T: for<'de> serde::Deserialize<'de>>(&self, action: &str) -> Result<T, Refusal> {
        let (message, place) = match self.format {
            Format::Toml => match toml::from_str(self.text) {
                Ok(value) => return Ok(value),
                Err(error) => {
                    (error.message().to_owned(), error.span().map(|span| place(self.text, span.start)))
                }
            },
            Format::Json => match serde_json::from_str(self.text) {
                Ok(value) => return Ok(value),
                Err(error) => {
                    let message = error.to_string();
                    let tail = format!(" at line {} column {}", error.line(), error.column());
                    (message.trim_end_matches(&tail).to_owned(), Some((error.line(), error.column())))
                }
            },
        };
        let key = message.split('`').nth(1).unwrap_or_default().to_owned();
        if message.starts_with("unknown field") {
            return Err(unknown_key(&key, place, action));
        }
        if message.starts_with("missing field") {
            return Err(Refusal::new(
                Code::Malformed,
                format!("the action `{action}` needs the key `{key}`"),
            ));
        }
        let message = message.trim_end().replace('\n', "; ");
        let at = place.map(|(line, column)| format!("line {line}, column {column}: ")).unwrap_or_default();
        let (code, hint) = match &message {
            _ if message.starts_with("duplicate ") => {
                (Code::DuplicateKey, "each key stands once, so that nobody has to guess which one counts")
            }
            _ if message.starts_with("invalid type") => (
                Code::WrongType,
                "texts stand between quotes, lists between brackets, true and false and numbers bare",
            ),
            _ => (
                Code::Malformed,
                "deploy/requests.md shows the keys of every action; `--dry-run` tries a request",
            ),
        };
        Err(Refusal::new(code, format!("{at}{}", message.escape_debug())).hint(hint))
    }
}

/// Counts lines and columns from 1.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

fn unknown_key(key: &str, place: Option<(usize, usize)>, action: &str) -> Refusal {
    let at = place.map(|(line, _)| format!("line {line}: ")).unwrap_or_default();
    let sentence = format!("{at}the action `{action}` does not know the key `{}`", key.escape_debug());
    let all = || OWN.iter().chain(STEPS);
    let own = all().find(|(name, _)| *name == action).map(|(_, keys)| *keys).unwrap_or_default();
    let known: Vec<&str> = own.iter().chain(&COMMON).copied().collect();
    let near = nearest(key, known.iter().copied());
    let meant = near.first().map(|near| format!("did you mean `{near}`; ")).unwrap_or_default();
    let others: Vec<&str> = all().filter(|(_, keys)| keys.contains(&key)).map(|(name, _)| *name).collect();
    let refusal = Refusal::new(Code::UnknownKey, sentence)
        .hint(format!("{meant}keys of `{action}` are {}", quoted(&known)));
    if others.is_empty() {
        return refusal;
    }
    refusal.reasons([format!("`{key}` is a key of {}", quoted(&others))])
}

/// Checks what types alone do not.
fn check(request: &Request) -> Result<(), Refusal> {
    let texts = [("id", &request.id), ("as", &request.as_), ("site", &request.site), ("plan", &request.plan)];
    for (key, text) in texts {
        text.iter().try_for_each(|text| check_text(key, text, 200, false))?;
    }
    request.reason.iter().try_for_each(|reason| check_text("reason", reason, 16_000, true))?;
    if let Some(plan) = &request.plan
        && plan.parse::<nevra::Sha256>().is_err()
    {
        return Err(malformed("the value of `plan` is not a hash of 64 hexadecimal digits"));
    }
    let word = |key: &str, text: &str| check_text(key, text, 200, false);
    match &request.action {
        Action::Import { product, to, files, folder, platforms } => {
            word("product", product)?;
            word("to", to)?;
            list("platforms", platforms, false)?;
            check_sources(files, folder.as_deref())
        }
        Action::Step { product, command } => {
            word("product", product)?;
            steps::check(request, command)
        }
        Action::Adopt { product, stage, platform, folder, .. } => {
            word("product", product)?;
            word("stage", stage)?;
            word("platform", platform)?;
            check_folder(folder)
        }
        Action::Rollback { product, from, packages, platforms, versions, without, releases } => {
            word("product", product)?;
            word("from", from)?;
            selectors(packages)?;
            for (key, texts) in [
                ("platforms", platforms),
                ("versions", versions),
                ("without", without),
                ("releases", releases),
            ] {
                list(key, texts, false)?;
            }
            reasoned(request, "`rollback` needs a `reason`: it stands wherever the roll-back is shown")
        }
        Action::Promote { product, from, to, packages, platforms, .. } => {
            word("product", product)?;
            word("from", from)?;
            word("to", to)?;
            selectors(packages)?;
            list("platforms", platforms, false)
        }
        Action::Withdraw { product, from, packages, platforms } => {
            word("product", product)?;
            word("from", from)?;
            selectors(packages)?;
            list("platforms", platforms, false)
        }
        Action::Revert { product, stage, generation, platforms } => {
            word("product", product)?;
            word("stage", stage)?;
            reference(generation)?;
            list("platforms", platforms, false)
        }
        Action::Undo { request } => word("request", request),
        Action::Keep { generation, as_, drop } => {
            generation.iter().try_for_each(reference)?;
            let text = |key, text: &Option<String>| text.iter().try_for_each(|text| word(key, text));
            text("as", as_)?;
            text("drop", drop)?;
            match (as_, drop, generation) {
                (Some(_), None, _) | (None, Some(_), None) => Ok(()),
                _ => {
                    Err(malformed("`keep` needs either `as` (and perhaps `generation`) or `drop`, not both"))
                }
            }
        }
        Action::Waive { product, stage, gate, packages, .. } => {
            word("product", product)?;
            word("stage", stage)?;
            word("gate", gate)?;
            selectors(packages)?;
            packages.iter().try_for_each(|text| pattern(text))?;
            reasoned(request, "`waive` needs a `reason`: it stands wherever the waiver is shown")
        }
        Action::EndWaiver { waiver } => word("waiver", waiver),
        Action::Freeze { product, stage, .. } => {
            word("product", product)?;
            stage.iter().try_for_each(|stage| word("stage", stage))?;
            reasoned(request, "`freeze` needs a `reason`: whoever is stopped by it reads it")
        }
        Action::Thaw { freeze } => word("freeze", freeze),
        Action::Approve { product, from, to, .. } => {
            word("product", product)?;
            word("from", from)?;
            word("to", to)?;
            match request.plan {
                Some(_) => Ok(()),
                None => Err(malformed("`approve` needs the key `plan`, the hash that a dry run tells")),
            }
        }
        Action::Variant { product, package, digests } => {
            word("product", product)?;
            word("package", package)?;
            list("digests", digests, true)?;
            reasoned(request, "`variant` needs a `reason`: it stands wherever the decision is shown")
        }
        Action::EndVariant { variant } => word("variant", variant),
        Action::Advisory { product, stage, advised, packages, platforms } => {
            word("product", product)?;
            word("stage", stage)?;
            self::advised(advised)?;
            selectors(packages)?;
            list("platforms", platforms, false)
        }
        Action::EndAdvisory { product, advisory, .. } => {
            word("product", product)?;
            advisory_id(advisory)?;
            reasoned(request, "`end-advisory` needs a `reason`: whoever acted by the advisory asks for it")
        }
        Action::Purge { packages } => {
            list("packages", packages, true)?;
            reasoned(request, "`purge` needs a `reason`: it cannot be undone, and stays on record")
        }
        Action::Sweep {}
        | Action::Overlap {}
        | Action::AcceptClock {}
        | Action::Resume {}
        | Action::Config {} => Ok(()),
    }
}

/// Checks what an advisory says: it becomes XML that every client takes.
fn advised(advised: &Advised) -> Result<(), Refusal> {
    let Advised { id, kind, severity, title, description, references, .. } = advised;
    advisory_id(id)?;
    check_text("title", title, 1000, false)?;
    if !description.is_empty() {
        check_text("description", description, 16_000, true)?;
    }
    list("references", references, false)?;
    for text in [id, title, description].into_iter().chain(references) {
        if let Some(character) = text.chars().find(|character| !repo::is_carried(*character)) {
            let sentence = format!("XML cannot carry the character {:#06x}", u32::from(character));
            return Err(malformed(sentence));
        }
    }
    let one_of = |key: &str, word: &str, known: &[&str]| match known.contains(&word) {
        true => Ok(()),
        false => Err(malformed(format!("`{key}` is none of {}", quoted(known)))),
    };
    one_of("type", kind, &Advised::KINDS)?;
    severity.iter().try_for_each(|severity| one_of("severity", severity, &Advised::SEVERITIES))
}

fn advisory_id(id: &str) -> Result<(), Refusal> {
    check_text("advisory", id, 200, false)?;
    if id.trim() != id || id.starts_with("retracted-") {
        return Err(malformed(
            "the id of an advisory has no space around it, and does not begin with `retracted-`",
        ));
    }
    Ok(())
}

fn reasoned(request: &Request, sentence: &str) -> Result<(), Refusal> {
    request.reason.as_ref().map(drop).ok_or_else(|| malformed(sentence))
}

fn pattern(text: &str) -> Result<(), Refusal> {
    wrong_pattern(text).map_or(Ok(()), |reason| Err(malformed(reason)))
}

pub(super) fn malformed(sentence: impl Into<String>) -> Refusal {
    Refusal::new(Code::Malformed, sentence)
}

fn reference(generation: &Reference) -> Result<(), Refusal> {
    match generation {
        Reference::Number(_) => Ok(()),
        Reference::Name(name) => check_text("generation", name, 200, false),
    }
}

pub(super) fn list(key: &str, texts: &[String], needed: bool) -> Result<(), Refusal> {
    if needed && texts.is_empty() {
        return Err(malformed(format!("`{key}` is empty")));
    }
    if texts.len() > LIST_MAX {
        return Err(malformed(format!("`{key}` names more than {LIST_MAX} things")));
    }
    texts.iter().try_for_each(|text| check_text(key, text, 300, false))
}

pub(super) fn selectors(packages: &[String]) -> Result<(), Refusal> {
    list("packages", packages, true)?;
    if packages.iter().filter(|text| is_pattern(text)).count() > PATTERNS_MAX {
        return Err(malformed(format!("`packages` names more than {PATTERNS_MAX} patterns")));
    }
    Ok(())
}

fn check_sources(files: &[String], folder: Option<&str>) -> Result<(), Refusal> {
    if files.is_empty() != folder.is_some() {
        return Err(malformed("`import` needs either `files` or `folder`, not both"));
    }
    list("files", files, false)?;
    for file in files {
        if upload_parts(file).is_none() {
            let sentence = format!("`{file}` is not a name in `upload/`");
            return Err(malformed(sentence).hint("such names are `<sha256>-<name>`, in lower case"));
        }
    }
    folder.map_or(Ok(()), check_folder)
}

fn check_folder(folder: &str) -> Result<(), Refusal> {
    check_text("folder", folder, 4096, false)?;
    if !folder.starts_with('/') || folder.split('/').any(|part| part == "..") {
        return Err(malformed(format!("the folder `{folder}` is not an absolute path without `..`")));
    }
    Ok(())
}
