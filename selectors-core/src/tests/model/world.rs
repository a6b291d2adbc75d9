//! Every backend and the model, playing the same script.

use std::os::fd::OwnedFd;
use std::rc::Rc;

use super::super::support::NOW;
#[cfg(uring)]
use super::super::support::{has_ring, selector, staying};
use super::source::{BOTH, Kind, NONE, News, Source};
use super::{SOURCES, Step};
#[cfg(uring)]
use crate::kernel::Uring;
use crate::kernel::{Devpoll, Epoll, Kqueue, Open, Poll, Select};
use crate::{DefaultSelector, Error, Event, Events, Mode, Selector, Token};

/// What the model knows about a registration.
#[derive(Clone, Copy, Debug)]
struct Key {
    /// `None` is parked.
    events: Option<Events>,
    mode: Mode,
}

/// A backend under test.
struct Player {
    selector: DefaultSelector<Rc<OwnedFd>, usize>,
    make: fn() -> DefaultSelector<Rc<OwnedFd>, usize>,
    /// By source, the token of its key.
    tokens: [Option<Token>; SOURCES],
    /// By source, whether a oneshot key has fired since it was armed. Per backend, because they
    /// differ where the table says so.
    fired: [bool; SOURCES],
    /// By source, what an edge key has to tell in the next wait.
    news: [News; SOURCES],
    /// By source, what held at any moment since the last wait.
    held: [News; SOURCES],
    /// By source, whether file and key were left alone since the last wait.
    quiet: [bool; SOURCES],
    /// The last token that was unregistered: it must find nothing for ever.
    stale: Option<Token>,
}

impl Player {
    fn offers(&self, mode: Mode) -> bool {
        !mode.is_edge() || self.selector.capabilities().edge
    }

    /// The directions of `events` in which a file is ready.
    fn holds(&self, source: &Source, events: Events) -> News {
        let expected = source.expected(self.selector.backend(), events);
        expected.map_or(NONE, Events::bits)
    }

    /// A key is told all anew.
    fn begins(&mut self, source: usize) {
        self.fired[source] = false;
        self.news[source] = BOTH;
        self.quiet[source] = false;
    }

    /// What an edge key that holds of `asked` was told in a wait.
    fn check_edge(
        &mut self,
        source: usize,
        key: Key,
        asked: Option<Events>,
        told: Option<Event>,
    ) -> Result<(), String> {
        let watched = key.events.map_or(NONE, Events::bits);
        let must = asked.map_or(NONE, Events::bits) & self.news[source];
        let may = match self.quiet[source] {
            true => NONE,
            false => watched & self.held[source],
        };
        let events = told.map_or(NONE, |event| {
            event.readiness.events().map_or(NONE, Events::bits)
        });
        self.fired[source] = key.mode.is_oneshot() && told.is_some();
        if must & !events != 0 || events & !may != 0 || (told.is_some() && events == NONE) {
            return Err(format!(
                "{} tells an edge key {told:?}, must {must:#b}, may {may:#b}",
                self.selector.backend()
            ));
        }
        Ok(())
    }
}

fn player<K: Open>() -> Player {
    fn make<K: Open>() -> DefaultSelector<Rc<OwnedFd>, usize> {
        Selector::from_kernel(K::open().unwrap()).into_default()
    }
    Player {
        selector: make::<K>(),
        make: make::<K>,
        tokens: [None; SOURCES],
        fired: [false; SOURCES],
        news: [NONE; SOURCES],
        held: [NONE; SOURCES],
        quiet: [false; SOURCES],
        stale: None,
    }
}

fn players() -> Vec<Player> {
    #[allow(unused_mut, reason = "only where there are rings one more plays")]
    let mut players = vec![
        player::<Select>(),
        player::<Poll>(),
        player::<Epoll>(),
        player::<Devpoll>(),
        player::<Kqueue>(),
    ];
    #[cfg(uring)]
    if has_ring() {
        players.push(player::<Uring>());
        players.push(Player {
            make: || staying(selector::<Uring, _, _>).into_default(),
            ..player::<Uring>()
        });
    }
    players
}

pub(super) struct World {
    sources: [Source; SOURCES],
    keys: [Option<Key>; SOURCES],
    players: Vec<Player>,
}

impl World {
    pub(super) fn new() -> World {
        let kinds = [
            Kind::Socket,
            Kind::PipeReader,
            Kind::PipeWriter,
            Kind::Counter,
        ];
        World {
            sources: kinds.map(Source::new),
            keys: [None; SOURCES],
            players: players(),
        }
    }

    pub(super) fn play(&mut self, step: &Step) -> Result<(), String> {
        match *step {
            Step::Register(source, events, mode) => self.register(source, events, mode)?,
            Step::Modify(source, events) => self.change(source, Some(events))?,
            Step::Park(source) => self.change(source, None)?,
            Step::Unregister(source) => self.unregister(source)?,
            Step::PeerWrites(source) => self.happens(source, Source::peer_writes),
            Step::PeerDrains(source) => self.happens(source, Source::peer_drains),
            Step::PeerShutsDown(source) => self.happens(source, Source::peer_shuts_down),
            Step::PeerCloses(source) => self.happens(source, Source::peer_closes),
            Step::Drain(source) => self.happens(source, Source::drain),
            Step::Fill(source) => self.happens(source, Source::fill),
            Step::Replace(source) => {
                self.unregister(source)?;
                let kind = self.sources[source].kind();
                self.sources[source] = Source::new(kind);
            }
            Step::Close => self.close()?,
            Step::Select => self.select()?,
        }
        self.compare_maps()
    }

    /// Something is done with a file.
    fn happens(&mut self, source: usize, what: fn(&mut Source) -> News) {
        let news = what(&mut self.sources[source]);
        for player in &mut self.players {
            player.news[source] |= news;
            player.held[source] |= news;
            player.quiet[source] = false;
        }
        self.hold(source);
    }

    /// What holds now may be told in the next wait.
    fn hold(&mut self, source: usize) {
        for player in &mut self.players {
            player.held[source] |= player.holds(&self.sources[source], Events::READ_WRITE);
        }
    }

    fn register(&mut self, source: usize, events: Events, mode: Mode) -> Result<(), String> {
        let taken = self.keys[source].is_some();
        for player in &mut self.players {
            let ours = Rc::clone(&self.sources[source].ours);
            match player.selector.register_with(ours, events, mode, source) {
                Ok(token) if !taken => {
                    player.tokens[source] = Some(token);
                    player.begins(source);
                }
                Err(failed) if !player.offers(mode) => {
                    if !matches!(failed.error, Error::Unsupported { .. }) {
                        return Err(format!("register: {failed}"));
                    }
                }
                Err(failed) if player.tokens[source].is_some() => {
                    if !matches!(failed.error, Error::AlreadyRegistered(_)) {
                        return Err(format!("register: {failed}"));
                    }
                }
                // The key that there is has a mode that this backend has not.
                Ok(token) if player.tokens[source].is_none() => {
                    player.selector.unregister(token).unwrap();
                }
                answer => return Err(format!("register: {answer:?}")),
            }
        }
        self.hold(source);
        self.keys[source].get_or_insert(Key {
            events: Some(events),
            mode,
        });
        Ok(())
    }

    fn change(&mut self, source: usize, to: Option<Events>) -> Result<(), String> {
        for player in &mut self.players {
            let Some(token) = player.tokens[source].or(player.stale) else {
                continue;
            };
            let selector = &mut player.selector;
            let answer = match to {
                Some(events) => selector.modify(token, events),
                None => selector.park(token),
            };
            match answer {
                Ok(()) if player.tokens[source].is_some() => {}
                Err(Error::NotRegistered(_)) if player.tokens[source].is_none() => {}
                answer => return Err(format!("{}: {answer:?}", selector.backend())),
            }
            player.begins(source);
        }
        self.hold(source);
        if let Some(key) = &mut self.keys[source] {
            key.events = to;
        }
        Ok(())
    }

    fn unregister(&mut self, source: usize) -> Result<(), String> {
        for player in &mut self.players {
            let Some(token) = player.tokens[source].take() else {
                continue;
            };
            let key = player
                .selector
                .unregister(token)
                .map_err(|e| format!("unregister: {e}"))?;
            if !Rc::ptr_eq(&key.fileobj, &self.sources[source].ours) || key.data != source {
                return Err("unregister gave another key back".to_owned());
            }
            player.stale = Some(token);
        }
        self.keys[source] = None;
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        for player in &mut self.players {
            let old = std::mem::replace(&mut player.selector, (player.make)());
            if old.close().len() != player.tokens.iter().flatten().count() {
                return Err("close lost a key".to_owned());
            }
            player.tokens = [None; SOURCES];
            player.stale = None;
        }
        self.keys = [None; SOURCES];
        Ok(())
    }

    fn select(&mut self) -> Result<(), String> {
        let mut ready: Vec<Event> = Vec::new();
        for player in &mut self.players {
            let backend = player.selector.backend();
            player
                .selector
                .select(&mut ready, NOW)
                .map_err(|error| format!("select: {error}"))?;
            ready.sort_by_key(|event| event.token);
            let mut expected = Vec::new();
            for (source, key) in self.keys.iter().enumerate() {
                let (Some(key), Some(token)) = (key, player.tokens[source]) else {
                    continue;
                };
                if player.fired[source] {
                    continue;
                }
                let asked = key
                    .events
                    .and_then(|watched| self.sources[source].expected(backend, watched));
                if key.mode.is_edge() {
                    let at = ready.iter().position(|event| event.token == token);
                    let told = at.map(|at| ready.remove(at));
                    player.check_edge(source, *key, asked, told)?;
                } else if let Some(events) = asked {
                    expected.push((token, events));
                    player.fired[source] = key.mode.is_oneshot();
                }
            }
            expected.sort_by_key(|(token, _)| *token);
            let portable = |event: &Event| Some((event.token, event.readiness.events()?));
            let reported: Vec<_> = ready.iter().filter_map(portable).collect();
            if reported != expected || reported.len() != ready.len() {
                return Err(format!(
                    "{backend} reports {ready:?}, expected {expected:?}"
                ));
            }
            player.news = [NONE; SOURCES];
            player.held = [NONE; SOURCES];
            player.quiet = [true; SOURCES];
        }
        for source in 0..SOURCES {
            self.hold(source);
        }
        Ok(())
    }

    fn compare_maps(&self) -> Result<(), String> {
        for player in &self.players {
            let map = player.selector.get_map();
            for (source, key) in self.keys.iter().enumerate() {
                let found = player.tokens[source].and_then(|token| map.get(token));
                let key = key.filter(|key| player.offers(key.mode));
                if found.map(|key| key.events) != key.map(|key| key.events) {
                    return Err(format!("{}: key of {source}", player.selector.backend()));
                }
            }
            let stale = player.stale.is_some_and(|token| map.contains(token));
            if stale || map.len() != player.tokens.iter().flatten().count() {
                return Err(format!("{}: map", player.selector.backend()));
            }
        }
        Ok(())
    }
}
