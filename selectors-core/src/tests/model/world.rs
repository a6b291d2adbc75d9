//! Every backend and the model, playing the same script.

use std::os::fd::OwnedFd;
use std::rc::Rc;

use super::super::support::NOW;
#[cfg(uring)]
use super::super::support::has_ring;
use super::source::{Kind, Source};
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
    /// The last token that was unregistered: it must find nothing for ever.
    stale: Option<Token>,
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
            Step::PeerWrites(source) => self.sources[source].peer_writes(),
            Step::PeerDrains(source) => self.sources[source].peer_drains(),
            Step::PeerShutsDown(source) => self.sources[source].peer_shuts_down(),
            Step::PeerCloses(source) => self.sources[source].peer_closes(),
            Step::Drain(source) => self.sources[source].drain(),
            Step::Fill(source) => self.sources[source].fill(),
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

    fn register(&mut self, source: usize, events: Events, mode: Mode) -> Result<(), String> {
        let taken = self.keys[source].is_some();
        for player in &mut self.players {
            let ours = Rc::clone(&self.sources[source].ours);
            match player.selector.register_with(ours, events, mode, source) {
                Ok(token) if !taken => {
                    player.tokens[source] = Some(token);
                    player.fired[source] = false;
                }
                Err(failed) if taken => {
                    if !matches!(failed.error, Error::AlreadyRegistered(_)) {
                        return Err(format!("register: {failed}"));
                    }
                }
                answer => return Err(format!("register: {answer:?}")),
            }
        }
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
            player.fired[source] = false;
        }
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
            if old.close().len() != self.keys.iter().flatten().count() {
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
                if let Some(events) = asked {
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
        }
        Ok(())
    }

    fn compare_maps(&self) -> Result<(), String> {
        for player in &self.players {
            let map = player.selector.get_map();
            for (source, key) in self.keys.iter().enumerate() {
                let found = player.tokens[source].and_then(|token| map.get(token));
                if found.map(|key| key.events) != key.map(|key| key.events) {
                    return Err(format!("{}: key of {source}", player.selector.backend()));
                }
            }
            let stale = player.stale.is_some_and(|token| map.contains(token));
            if stale || map.len() != self.keys.iter().flatten().count() {
                return Err(format!("{}: map", player.selector.backend()));
            }
        }
        Ok(())
    }
}
