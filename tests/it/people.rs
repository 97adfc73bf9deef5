//! Several people who ask: the engine as it runs, on a disk in memory with a site on it.

use std::sync::Arc;

use daemon::account::Account;
use daemon::config::Config;
use daemon::engine::Engine;
use daemon::rejudge::{Judgement, rejudge};
use plan::Answer;
use store::forgetful::ForgetfulDisk;
use store::{Disk, Store};

use crate::crash::site::{self, ROOT, SPOOL, SetClock};

pub struct People {
    pub disk: Arc<ForgetfulDisk>,
    pub clock: Arc<SetClock>,
    pub config: Arc<Config>,
    engine: Option<Engine>,
    asked: u32,
}

impl People {
    /// A site whose route has what `more` says, and after it what else the configuration says.
    pub fn with(config: &str, more: &str) -> Self {
        let (disk, clock) = site::site();
        let text = format!("{config}{more}");
        let config = Config::parse(text.as_bytes(), "people.toml").expect("the configuration is right");
        let config = Arc::new(config);
        let engine = Some(site::open_as(&disk, &clock, Arc::clone(&config)).unwrap());
        Self { disk, clock, config, engine, asked: 0 }
    }

    pub fn settle(&mut self) -> Vec<Answer> {
        site::settle(self.engine.as_mut().expect("it runs"), &self.disk, &self.clock).unwrap()
    }

    /// Somebody hands in a whole file.
    pub fn hand_in(&mut self, uid: u32, text: &str) -> Answer {
        self.asked += 1;
        let path = format!("{SPOOL}/incoming/r{}.toml", self.asked);
        site::write(&self.disk.as_user(uid, 1000), path.as_str().into(), text.as_bytes());
        self.answer()
    }

    fn answer(&mut self) -> Answer {
        let mut answers = self.settle();
        // The site on the disk has another name: what hosts are told follows first.
        answers.retain(|answer| answer.action != "config");
        assert_eq!(answers.len(), 1, "{answers:?}");
        answers.remove(0)
    }

    /// Somebody asks.
    pub fn ask(&mut self, uid: u32, keys: &str) -> Answer {
        self.hand_in(uid, &format!("format = 1\n{keys}\n[end]\n"))
    }

    pub fn restart(&mut self) {
        // The lock is free once the engine is gone.
        self.engine = None;
        self.engine = Some(site::open_as(&self.disk, &self.clock, Arc::clone(&self.config)).unwrap());
    }

    pub fn account(&self) -> Account {
        let store = Store::new(Arc::clone(&self.disk) as Arc<dyn Disk>, ROOT);
        let current = store.current().unwrap().unwrap();
        Account::of(current.number, &current.manifest.account).unwrap()
    }

    /// Judges everything again that was settled so far.
    pub fn rejudged(&self) -> Judgement {
        let store = Store::new(Arc::clone(&self.disk) as Arc<dyn Disk>, ROOT);
        rejudge(&*self.disk, &store, &|_, _| true).unwrap()
    }

    /// The time by the clock of the test, in seconds.
    pub fn now(&self) -> i64 {
        use daemon::clock::Clock as _;
        self.clock.now().as_second()
    }
}

/// Whatever people did in a test is judged the same again.
impl Drop for People {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.rejudged().differing, []);
        }
    }
}
