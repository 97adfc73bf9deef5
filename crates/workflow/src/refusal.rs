//! Why a procedure does not do what somebody asks for.

macro_rules! codes {
    ($($variant:ident $text:literal $exit:literal $meaning:literal)*) => {
        /// Names a refusal for programs; texts may change, codes do not.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $meaning] $variant,)* }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// Writes the code as answers carry it.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text,)* }
            }

            /// Says with which exit code the command line ends.
            pub fn exit(self) -> u8 {
                match self { $(Code::$variant => $exit,)* }
            }

            /// Says in one sentence what the code means.
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$variant => $meaning,)* }
            }
        }
    };
}

codes! {
    NoProcedure "no-procedure" 2 "The product has no procedure, or not the one that the action belongs to."
    RunByProcedure "run-by-procedure" 3 "A procedure runs the stage: packages enter and leave it by its steps, unless somebody answers for it."
    WrongActor "wrong-actor" 3 "The procedure gives this step to somebody else."
    WrongState "wrong-state" 4 "The patch, bundle, ticket, task or update does not stand where this step begins."
    NoSuchPatch "no-such-patch" 5 "No patch that is under way has this id."
    NoSuchBundle "no-such-bundle" 5 "No bundle that is under way has this id."
    NoSuchTicket "no-such-ticket" 5 "No ticket that is under way has this id."
    NoSuchTask "no-such-task" 5 "No task that is under way has this number."
    NoSuchTeam "no-such-team" 5 "No team of early adopters has this name."
    NoSuchUpdate "no-such-update" 5 "No update that is under way has this number."
    IdTaken "id-taken" 4 "A patch, bundle or ticket of this id is there already, or a ticket that follows the same product."
    NothingNamed "nothing-named" 2 "The request names no patch, ticket, team or package."
    InAnotherBundle "in-another-bundle" 4 "A patch travels with another bundle."
    PackageInAnotherPatch "package-in-another-patch" 4 "A package belongs to another patch or ticket that is under way."
    NoGreenFlag "no-green-flag" 3 "No patch of the bundle is ready for rollout, so operations gave no green flag."
    BundleHeld "bundle-held" 4 "Somebody holds the bundle."
    Incomplete "incomplete" 3 "The patches of the bundle, those with early adopters and the packages there are not the same, or packages of the ticket are not there; the answer names what differs."
    MirrorsBehind "mirrors-behind" 75 "Mirrors may not show the bundle or ticket yet."
    TeamDoesNotRun "team-does-not-run" 3 "The team has none of the node types, stacks or platforms, or was asked for others than it has."
    AlreadyAssigned "already-assigned" 4 "The team has a task of this kind about these patches, or this ticket."
    NotYourTask "not-your-task" 3 "The task is another team's."
    AlreadyAnswered "already-answered" 4 "The team answered already."
    InQuarantine "in-quarantine" 75 "The quarantine of the task is not over by the time that is proven."
    NoEvidence "no-evidence" 3 "The site did not show that it has what is to be tested."
    OtherRevision "other-revision" 4 "The report was made for other packages than the task is about."
    TasksOpen "tasks-open" 3 "A patch or ticket has tasks that are not done, or none that is."
    TaskFailed "task-failed" 3 "A task about a patch or ticket says `fail`."
    LeavesPatchesBehind "leaves-patches-behind" 3 "Patches of the same bundle would stay behind, and the request does not say `partial`."
    UpdateTaken "update-taken" 4 "The update of this number is published."
    NotReady "not-ready" 4 "The release notes of the update are not ready."
    NotApproved "not-approved" 3 "Operations did not approve of the update."
    OtherPlan "other-plan" 4 "The plan is not the one that was prepared or approved."
    HistoryFull "history-full" 4 "So much was said of the patch, ticket or task that no more is kept."
    WrongSubject "wrong-subject" 3 "The subject of the ticket at the helpdesk does not begin with what is rolled out."
    WrongFile "wrong-file" 3 "The file is not named after what is rolled out."
    BadText "bad-text" 2 "A text is too long, empty, or holds control characters."
}

/// Says why a step is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For programs.
    pub code: Code,
    /// One plain sentence.
    pub sentence: String,
    /// Every reason, one sentence each, where there are several.
    pub reasons: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl Refusal {
    /// Makes a refusal.
    pub fn new(code: Code, sentence: impl Into<String>) -> Refusal {
        Refusal { code, sentence: sentence.into(), reasons: Vec::new(), hint: None }
    }

    /// Adds what to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Refusal {
        self.hint = Some(hint.into());
        self
    }

    /// Adds reasons.
    pub fn reasons(mut self, reasons: impl IntoIterator<Item = String>) -> Refusal {
        self.reasons.extend(reasons);
        self
    }
}
