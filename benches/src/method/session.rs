//! A run: interleaved blocks of slices, what the generator could have done beside them, and their
//! comparison.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{
    AGAIN, Document, Environment, Placement, Program, SCHEMA, Slice, Spec, checks, compared,
    slices, statistics,
};
use crate::terminal::tell;

/// What a point gets at least, if it may have so many.
const LEAST_BLOCKS: usize = 5;

/// What a session measures: every subject at every point, in every block.
#[derive(Clone)]
pub struct Plan {
    pub points: Vec<Spec>,
    /// The first one is what the others are compared with.
    pub subjects: Vec<String>,
    pub blocks: usize,
    /// Whether the first subject is measured twice, for the noise floor.
    pub floor: bool,
    /// How what the generator can do at a point is measured, if there is a generator.
    pub null: fn(&Spec) -> Option<Spec>,
    /// Finds the points that depend on what the subjects can do, by numbers that are no part of a point.
    pub offer: Option<Offer>,
    pub apart: BTreeMap<&'static str, Vec<f64>>,
}

pub type Offer = fn(&Session, &Plan) -> Vec<Spec>;

impl Plan {
    pub fn apart(&self, name: &str) -> &[f64] {
        self.apart.get(name).map_or(&[], Vec::as_slice)
    }
}

/// What a session has measured so far.
#[derive(Default)]
pub struct Session {
    document: Document,
    interrupted: Arc<AtomicBool>,
    threshold: f64,
    /// What the points of a plan share.
    pub budget: Option<Duration>,
    /// Programs that stand for subjects, and the name of the subject that they measure.
    pub programs: Option<(BTreeMap<String, Program>, String)>,
    /// When no further slice begins: a busy machine does less.
    pub deadline: Option<Instant>,
    /// Whether something was left out because of that.
    out_of_time: Cell<bool>,
}

impl Session {
    /// Begins. From now on Ctrl-C ends the measuring and not the program.
    pub fn begin(threshold_percent: f64) -> Result<Self, String> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, interrupted.clone()).map_err(|e| e.to_string())?;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let document = Document {
            schema: SCHEMA.to_owned(),
            arguments: std::env::args().skip(1).collect(),
            began: now.map_or(0, |now| now.as_secs()),
            environment: Environment::read(),
            ..Document::default()
        };
        let threshold = threshold_percent / 100.0;
        Ok(Self { document, interrupted, threshold, ..Self::default() })
    }

    /// Whether nothing more is to be measured: Ctrl-C, or out of time. Asked before something is.
    fn over(&self) -> bool {
        let late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        self.out_of_time.set(self.out_of_time.get() || late);
        late || self.interrupted.load(Ordering::Relaxed)
    }

    /// Measures all slices of a plan, and before each point what its generator can do.
    pub fn measure(&mut self, plan: &Plan) {
        let points = plan.offer.map_or_else(|| plan.points.clone(), |offer| offer(self, plan));
        let mut subjects = plan.subjects.clone();
        let twin = plan.subjects.first().filter(|_| plan.floor);
        subjects.extend(twin.map(|first| format!("{first}{AGAIN}")));
        let seed = points.first().map_or(1, |point| point.seed);
        let orders = statistics::orders(subjects.len(), plan.blocks, seed);
        let share = self.budget.map(|budget| budget / points.len().max(1) as u32);
        let all = plan.blocks * subjects.len();
        // A point's blocks are neighbours in time; all points of a block would be too far apart.
        for (number, point) in points.iter().enumerate() {
            tell(format_args!("{}/{} {}", number * all, points.len() * all, point.point()));
            let null_rate = (plan.null)(point).and_then(|null| self.most(&null));
            let first = self.document.slices.len();
            self.blocks(point, &subjects, &orders, share);
            if let Some(null_rate) = null_rate {
                let here = &mut self.document.slices[first..];
                here.iter_mut().for_each(|slice| beside_the_generator(slice, null_rate));
            }
        }
    }

    fn blocks(
        &mut self,
        point: &Spec,
        subjects: &[String],
        orders: &[Vec<usize>],
        share: Option<Duration>,
    ) {
        let (began, first) = (Instant::now(), self.document.slices.len());
        for (block, order) in orders.iter().enumerate() {
            let spent = share.is_some_and(|share| began.elapsed() >= share);
            let here: Vec<&Slice> = self.document.slices[first..].iter().collect();
            let clear = || compared::is_clear(&here, subjects, self.threshold);
            if block >= LEAST_BLOCKS && (spent || clear()) {
                return;
            }
            for &place in order {
                if self.over() {
                    return;
                }
                let mut spec = point.clone();
                spec.subject.clone_from(&subjects[place]);
                spec.baseline.clone_from(&subjects[0]);
                spec.block = block;
                spec.seed = spec.seed.wrapping_add(block as u64);
                self.slice(&spec);
            }
        }
    }

    /// Measures one slice and keeps it, unless Ctrl-C tore it.
    fn slice(&mut self, spec: &Spec) {
        let programs = self.programs.as_ref();
        let program = programs.and_then(|(all, own)| Some((all.get(spec.program())?, own)));
        let result = match program {
            Some((program, own)) => slices::measure_program(spec, program, own),
            None => slices::measure(spec),
        };
        if !self.interrupted.load(Ordering::Relaxed) {
            // What could not be measured is shown, with its reason.
            let failed = |problem| Slice::failed(spec.clone(), problem);
            self.document.slices.push(result.unwrap_or_else(failed));
        }
    }

    /// The highest rate of three short slices: what others take away is not what it can do.
    fn most(&self, spec: &Spec) -> Option<f64> {
        let milliseconds = (spec.milliseconds / 3).max(20);
        let spec = Spec { milliseconds, ..spec.clone() };
        (0..3).filter_map(|_| self.rate(&spec)).reduce(f64::max)
    }

    /// The rate that one slice has, which is not kept.
    fn rate(&self, spec: &Spec) -> Option<f64> {
        if self.over() {
            return None;
        }
        slices::measure(spec).ok()?.metrics.get("rate").copied()
    }

    /// The rates of the slowest subject and of the fastest with `spec`, each the median of three
    /// tries; nothing if none could be measured.
    pub fn rates(&self, subjects: &[String], spec: &Spec) -> Option<(f64, f64)> {
        let mut rates = Vec::new();
        for subject in subjects {
            let spec = Spec { subject: subject.clone(), ..spec.clone() };
            // One slice can be anything on a machine that is not quiet, and all others hang on it.
            if let Some(rate) = statistics::median((0..3).filter_map(|_| self.rate(&spec))) {
                tell(format_args!("capacity of {subject}: {rate:.0}/s"));
                rates.push(rate);
            }
        }
        let slowest = rates.iter().copied().reduce(f64::min)?;
        Some((slowest, rates.iter().copied().reduce(f64::max)?))
    }

    pub fn finish(mut self) -> Document {
        self.document.interrupted = self.interrupted.load(Ordering::Relaxed);
        self.document.out_of_time = self.out_of_time.get();
        compared::shapes(&mut self.document.slices);
        let (floor, comparisons) = compared::compare(&self.document.slices, self.threshold);
        self.document.noise_floor = floor;
        self.document.comparisons = comparisons;
        self.document
    }
}

/// Tells how much of what the generator can do a slice took. Where the rate is what the server could do,
/// for it had no time to rest, or more was offered, the generator was not the limit, however near it was.
fn beside_the_generator(slice: &mut Slice, null_rate: f64) {
    let figure = |name: &str| slice.metrics.get(name).copied();
    let overload = figure("goodput").is_some();
    let offered = figure("offered").filter(|_| !overload);
    let Some(rate) = offered.or(figure("goodput")).or(figure("rate")) else {
        return;
    };
    let bound = figure("server_cpu").is_some_and(|cpu| cpu >= 0.9);
    slice.metrics.insert("generator_percent".to_owned(), 100.0 * rate / null_rate);
    let mut flag = checks::headroom(null_rate, rate);
    if let Some(flag) = &mut flag {
        // On one CPU the generator takes its share of what the rate is made of.
        let shared = slice.spec.placement == Placement::SameCpu;
        flag.label = shared || overload || (offered.is_none() && bound);
    }
    slice.flags.extend(flag);
}
