//! One followed log: the generations of it that are open, in order.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::checkpoint::Saved;
use super::follow::Shared;
use super::gap::{Gap, Why};
use super::generations::{self, Generation};
use super::identity::{HEAD, Identity};
use super::tail::{Pull, Tail};
use super::{Block, Problem};
use crate::line::SourceId;
use crate::time::{Span, Time};

/// Finished generations that are remembered, so as not to be read again.
const KNOWN: usize = 16;

/// How often a folder is read again when a rotation is at work in it.
const TRIES: usize = 5;

/// A followed path and what stands, stood, or will stand there.
pub(super) struct Log {
    pub(super) path: Arc<PathBuf>,
    /// Open generations, oldest first.
    tails: VecDeque<Tail>,
    /// Positions whose files are still to be found: after a restart, and
    /// after a truncation.
    sought: Vec<(Saved, Why)>,
    /// Finished generations, oldest first.
    known: VecDeque<Saved>,
    /// Begin at the end of what is there at the start.
    skim: bool,
    /// The last trouble, so that it is told once.
    trouble: Option<String>,
}

/// What reading one tail came to.
enum Read {
    Idle,
    More,
    Again,
}

impl Log {
    pub(super) fn new(path: &Path, skim: bool) -> Log {
        Log {
            path: Arc::new(path.to_path_buf()),
            tails: VecDeque::new(),
            sought: Vec::new(),
            known: VecDeque::new(),
            skim,
            trouble: None,
        }
    }

    /// Takes over a position of an earlier run.
    pub(super) fn restore(&mut self, saved: Saved) {
        if saved.done {
            self.remember(saved);
        } else {
            self.sought.push((saved, Why::Vanished));
        }
    }

    pub(super) fn identities(&self) -> impl Iterator<Item = Identity> {
        self.tails.iter().map(|tail| tail.identity)
    }

    pub(super) fn finished(&self) -> bool {
        self.tails.is_empty() && self.sought.is_empty()
    }

    pub(super) fn behind(&self) -> u64 {
        self.tails
            .iter()
            .filter(|tail| !tail.packed())
            .map(|tail| tail.size.saturating_sub(tail.offset))
            .sum()
    }

    pub(super) fn positions(&self) -> Vec<Saved> {
        let known = self.known.iter().cloned();
        let sought = self.sought.iter().map(|(saved, _)| saved.clone());
        let open = self.tails.iter().map(|tail| tail.saved(false));
        known.chain(sought).chain(open).collect()
    }

    pub(super) fn opening(&self, source: SourceId, length: usize) -> Option<io::Result<Vec<u8>>> {
        let tail = self.tails.iter().find(|tail| tail.source == source)?;
        Some(tail.opening(length))
    }

    /// Emits what there is, at most `budget` blocks; whether there is more.
    pub(super) fn sweep(
        &mut self,
        mut budget: usize,
        shared: &mut Shared,
        emit: &mut dyn FnMut(&mut Block),
    ) -> bool {
        let live = match generations::live(&self.path) {
            Ok(live) => live,
            Err(error) => return self.complain(&error, shared),
        };
        // What is not there at the start and comes later is all new.
        self.skim &= live.is_some();
        if let Err(error) = self.take_up(live.as_ref()) {
            return self.complain(&error, shared);
        }
        let new = live.as_ref().is_some_and(|live| {
            !self.identities().any(|identity| identity == live.identity)
                && !shared.held_elsewhere(&live.identity, &self.path)
        });
        let mut well = true;
        if (new || !self.sought.is_empty())
            && let Err(error) = self.line_up(shared)
        {
            well = self.complain(&error, shared);
        }
        let mut at = 0;
        let mut tries = 0;
        while at < self.tails.len() {
            match self.read(at, &mut budget, shared, emit) {
                Ok(Read::Idle) => at += 1,
                Ok(Read::Again) if tries < TRIES => tries += 1,
                Ok(Read::More | Read::Again) => return true,
                Err(error) => return self.complain(&error, shared),
            }
        }
        if well {
            self.trouble = None;
        }
        let live = live.map(|live| live.identity);
        if let Err(error) = self.let_go(live, shared, emit) {
            self.complain(&error, shared);
        }
        false
    }

    /// Opens what was shelved and has grown; what is no longer at the path is
    /// sought among the rotations, as after a restart.
    fn take_up(&mut self, live: Option<&Generation>) -> io::Result<()> {
        let mut at = 0;
        while let Some(tail) = self.tails.get_mut(at) {
            if tail.reopen(live)? {
                at += 1;
            } else if let Some(tail) = self.tails.remove(at) {
                self.sought.push((tail.saved(false), Why::Vanished));
            }
        }
        Ok(())
    }

    /// How many descriptors it holds.
    pub(super) fn files(&self) -> usize {
        self.tails.iter().filter(|tail| tail.holds_file()).count()
    }

    /// Closes the file at the path, if all of it is read. Rotated ones stay
    /// open: they may be deleted at any moment.
    pub(super) fn shelve(&mut self, shared: &Shared) {
        for tail in &mut self.tails {
            if tail.idle && tail.holds_file() && shared.live.contains(&tail.identity) {
                tail.shelve();
            }
        }
    }

    /// Reads one tail until it is idle or the budget is spent.
    fn read(
        &mut self,
        at: usize,
        budget: &mut usize,
        shared: &mut Shared,
        emit: &mut dyn FnMut(&mut Block),
    ) -> io::Result<Read> {
        let Some(tail) = self.tails.get_mut(at) else {
            return Ok(Read::Idle);
        };
        let (size, since) = (tail.size, tail.modified.max(tail.floor));
        if !tail.stirred()? {
            return Ok(Read::Idle);
        }
        if tail.replaced()? {
            self.line_up(shared)?;
            return Ok(Read::Again);
        }
        let touched = tail.modified > since || (tail.modified == since && tail.size != size);
        if touched && tail.untouched() && tail.holds_file() {
            let identity = tail.identity;
            let mine = tail.opening(HEAD)?;
            let before = self.tails.len();
            self.unseen(at, identity, &mine, since, shared)?;
            if self.tails.len() > before {
                return Ok(Read::Again);
            }
        }
        let Some(tail) = self.tails.get_mut(at) else {
            return Ok(Read::Idle);
        };
        while *budget > 0 {
            match tail.pull(&mut shared.buffer, &mut shared.block, &shared.limits) {
                Ok(Pull::Lines) => {
                    *budget -= 1;
                    emit(&mut shared.block);
                }
                Ok(Pull::Idle) => return Ok(Read::Idle),
                Ok(Pull::Changed) => {
                    self.line_up(shared)?;
                    return Ok(Read::Again);
                }
                Err(problem) => {
                    if let Problem::Unfollowed { why, .. } = problem {
                        return Err(io::Error::other(why));
                    }
                    let said = problem.to_string();
                    if !tail.packed() {
                        return Err(io::Error::other(said));
                    }
                    self.gap(0, Why::Damaged(said), shared);
                    return Ok(Read::Idle);
                }
            }
        }
        Ok(Read::More)
    }

    /// Opens what has come since: finds the place of every generation that is
    /// known in the folder, and takes the younger ones from their starts.
    fn line_up(&mut self, shared: &mut Shared) -> io::Result<()> {
        let mut tried = 0;
        loop {
            match self.try_line_up(shared) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && tried < TRIES => {
                    tried += 1;
                }
                other => return other,
            }
        }
    }

    fn try_line_up(&mut self, shared: &mut Shared) -> io::Result<()> {
        if self.tails.is_empty() && self.sought.is_empty() && self.known.is_empty() {
            return match generations::live(&self.path)? {
                Some(live) => self.first_sight(&live, shared),
                None => Ok(()),
            };
        }
        let files = generations::list(&self.path)?;
        self.part_with_replaced(&files, shared)?;
        let mut start = None;
        let mut since = None;
        for tail in &self.tails {
            let held = files.iter().position(|g| g.identity == tail.identity);
            let place = match held {
                Some(place) => Some(place),
                None => generations::find(&tail.sought()?, &files, &shared.limits),
            };
            start = start.max(place);
            since = since.max(Some(tail.modified));
        }
        let mut found = Vec::new();
        let mut lost = Vec::new();
        for (saved, why) in &self.sought {
            since = since.max(Some(saved.modified));
            match generations::find(saved, &files, &shared.limits) {
                Some(place) => found.push((place, saved.clone())),
                None => lost.push((saved.clone(), why.clone())),
            }
        }
        start = start.max(found.iter().map(|(place, _)| *place).max());
        if self.tails.is_empty()
            && self.sought.is_empty()
            && let Some(last) = self.known.back()
        {
            start = generations::find(last, &files, &shared.limits);
            since = Some(last.modified);
        }
        found.sort_by_key(|(place, _)| *place);
        let mut tails = Vec::new();
        for (place, saved) in &found {
            if let Some(generation) = files.get(*place) {
                tails.extend(self.open(generation, Some(saved), shared)?);
            }
        }
        for (place, generation) in files.iter().enumerate() {
            let younger = match start {
                Some(start) => place > start,
                None => generation.live || Some(generation.modified) >= since,
            };
            if younger {
                tails.extend(self.open(generation, None, shared)?);
            }
        }
        // Nothing can fail any more: what was sought is found or lost.
        let past = tails.len() > usize::from(files.iter().any(|file| file.live));
        self.tails.extend(tails);
        let newest = self.sought.last().map(|(saved, _)| saved.source);
        self.sought.clear();
        for (saved, why) in lost {
            let unread = saved.size.saturating_sub(saved.offset);
            // An older file that was read to its end may be deleted, and an
            // empty one has no print to be found by: what has come since is it.
            let missed = unread > 0 || Some(saved.source) == newest;
            if missed && !(saved.head.len() == 0 && past) {
                self.gap(unread, why, shared);
            }
        }
        Ok(())
    }

    /// Opens a generation from its start, or where it was left; `None` if it
    /// is read already, here or elsewhere, or if it is old and cannot be read.
    fn open(
        &mut self,
        generation: &Generation,
        saved: Option<&Saved>,
        shared: &mut Shared,
    ) -> io::Result<Option<Tail>> {
        let limits = shared.limits;
        if shared.held_elsewhere(&generation.identity, &self.path) {
            return Ok(None);
        }
        for tail in &self.tails {
            // The second: a compressed copy of what is open here.
            if tail.identity == generation.identity || generation.fits(&tail.sought()?, &limits) {
                return Ok(None);
            }
        }
        let known = self
            .known
            .iter()
            .find(|known| generation.fits(known, &limits));
        if known.is_some() && !generation.live {
            return Ok(None);
        }
        let known = known.cloned();
        let saved = saved.or(known.as_ref());
        let opened = match generation.open(saved.map_or(0, |saved| saved.offset), &limits) {
            Ok(opened) => opened,
            Err(error) if generation.live || error.kind() == io::ErrorKind::NotFound => {
                return Err(error);
            }
            Err(error) => {
                let said = format!("{}: {error}", generation.path.display());
                self.gap(generation.size, Why::Damaged(said), shared);
                return Ok(None);
            }
        };
        let source = match saved {
            Some(saved) => saved.source,
            None => shared.number(&self.path),
        };
        let path = Arc::clone(&self.path);
        shared.held.insert(generation.identity, Arc::clone(&path));
        Ok(Some(Tail::new(
            path, source, generation, opened, saved, &limits,
        )))
    }

    /// A log that was never followed: what is beside it is history. The folder
    /// is not read for it: ten thousand logs may appear in one at once.
    fn first_sight(&mut self, live: &Generation, shared: &mut Shared) -> io::Result<()> {
        let Some(mut tail) = self.open(live, None, shared)? else {
            return Ok(());
        };
        // A rotation that comes later is later than all that is there now.
        tail.floor = live.modified.max(shared.now).plus(Span::from_nanos(1));
        if std::mem::take(&mut self.skim) {
            let mut pulled = Pull::Lines;
            while pulled == Pull::Lines {
                pulled = tail
                    .pull(&mut shared.buffer, &mut shared.block, &shared.limits)
                    .map_err(|problem| io::Error::other(problem.to_string()))?;
            }
        }
        self.tails.push_back(tail);
        Ok(())
    }

    /// Before an empty file is read: it may have been filled, copied away and
    /// truncated while nobody looked, and no mark could tell. A rotation that
    /// is younger than our last look, and is not a copy of what is in it now,
    /// is put before it.
    fn unseen(
        &mut self,
        at: usize,
        identity: Identity,
        mine: &[u8],
        since: Time,
        shared: &mut Shared,
    ) -> io::Result<()> {
        let files = generations::list(&self.path)?;
        let end = files.iter().position(|g| g.identity == identity);
        let mut fresh = Vec::new();
        for generation in files.iter().take(end.unwrap_or(files.len())) {
            if generation.live || generation.modified < since {
                continue;
            }
            let theirs = generation.open(0, &shared.limits)?.head;
            let shorter = theirs.len().min(mine.len());
            let copy = shorter > 0 && theirs.get(..shorter) == mine.get(..shorter);
            if !copy && !theirs.is_empty() {
                fresh.extend(self.open(generation, None, shared)?);
            }
        }
        for tail in fresh.into_iter().rev() {
            self.tails.insert(at, tail);
        }
        Ok(())
    }

    /// Takes out the tails whose content was replaced: the old content is
    /// sought in a copy, the new is read from its start.
    fn part_with_replaced(&mut self, files: &[Generation], shared: &mut Shared) -> io::Result<()> {
        let mut at = 0;
        while let Some(tail) = self.tails.get_mut(at) {
            if !tail.replaced()? {
                at += 1;
                continue;
            }
            self.sought.push((tail.saved(false), Why::Rewritten));
            if files.iter().any(|file| file.identity == tail.identity) {
                self.tails.remove(at);
            } else {
                // Unlinked or moved away besides: nobody will find it again.
                tail.restart(shared.number(&self.path));
            }
        }
        Ok(())
    }

    /// Lets go of generations that are rotated away, read to their end, and
    /// quiet: their writer may not have been told to reopen yet.
    fn let_go(
        &mut self,
        live: Option<Identity>,
        shared: &mut Shared,
        emit: &mut dyn FnMut(&mut Block),
    ) -> io::Result<()> {
        let mut at = 0;
        while let Some(tail) = self.tails.get_mut(at) {
            let named = Some(tail.identity) == live || shared.live.contains(&tail.identity);
            let quiet = if tail.packed() {
                true
            } else if named || !tail.idle {
                false
            } else {
                let since = tail.quiet.unwrap_or(tail.modified).min(shared.now);
                tail.quiet = Some(since);
                shared.now.since(since) >= shared.rotate_wait
            };
            if !quiet {
                at += 1;
                continue;
            }
            if tail.flush(&mut shared.block, &shared.limits)? {
                emit(&mut shared.block);
            }
            if let Some(tail) = self.tails.remove(at) {
                self.remember(tail.saved(true));
            }
        }
        Ok(())
    }

    fn remember(&mut self, saved: Saved) {
        if self.known.len() == KNOWN {
            self.known.pop_front();
        }
        self.known.push_back(saved);
    }

    fn gap(&self, bytes: u64, why: Why, shared: &mut Shared) {
        shared.gaps.push(Gap {
            path: self.path.as_ref().clone(),
            bytes,
            why,
        });
    }

    /// Tells of trouble once, until it is over. The log is tried again in the
    /// next sweep; nothing is more to read before that.
    fn complain(&mut self, error: &io::Error, shared: &mut Shared) -> bool {
        let said = error.to_string();
        if self.trouble.as_ref() != Some(&said) {
            self.gap(0, Why::of(error), shared);
            self.trouble = Some(said);
        }
        false
    }
}
