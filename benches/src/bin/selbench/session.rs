//! A run: interleaved blocks of slices, their comparison, and what is made of it.

mod compared;
mod headroom;
mod offered;
mod shapes;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use benches::selbench::environment::Environment;
use benches::selbench::schema::{AGAIN, Document, SCHEMA, Slice, Spec};
use benches::selbench::statistics;

pub(crate) use self::compared::baseline;
pub(crate) use self::headroom::measure_checked;
pub(crate) use self::offered::{load, offer};
use crate::arguments::{Common, Compare};
use crate::plan::{self, Compared, Plan};
use crate::programs::Program;
use crate::progress::Progress;
use crate::{Ending, output, slices, table};

/// What a point gets at least, if it may have so many.
const LEAST_BLOCKS: usize = 5;

/// What a session has measured so far.
pub(crate) struct Session {
    document: Document,
    interrupted: Arc<AtomicBool>,
    threshold: f64,
    /// What the points of a plan share.
    budget: Option<Duration>,
    /// Programs that stand for subjects, and the name of the subject that they measure.
    programs: Option<(BTreeMap<String, Program>, String)>,
    /// When no further slice begins.
    deadline: Option<Instant>,
}

impl Session {
    /// Begins. From now on Ctrl-C ends the measuring and not the program.
    pub(crate) fn begin(threshold_percent: f64) -> Result<Self, String> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, interrupted.clone()).map_err(|e| e.to_string())?;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Ok(Self {
            document: Document {
                schema: SCHEMA.to_owned(),
                arguments: std::env::args().skip(1).collect(),
                began: now.map_or(0, |now| now.as_secs()),
                environment: Environment::read(),
                slices: Vec::new(),
                comparisons: Vec::new(),
                noise_floor: None,
                interrupted: false,
            },
            interrupted,
            threshold: threshold_percent / 100.0,
            budget: None,
            programs: None,
            deadline: None,
        })
    }

    /// Begins as the command line says.
    pub(crate) fn of(common: &Common) -> Result<Self, String> {
        let budget = Some(Duration::from_secs(common.budget));
        Ok(Self {
            budget,
            ..Self::begin(common.threshold)?
        })
    }

    /// Ends the measuring after so long, whatever is missing: a busy machine does less.
    pub(crate) fn end_after(&mut self, budget: Duration) {
        self.deadline = Some(Instant::now() + budget);
    }

    /// Whether the time is over.
    fn late(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Whether somebody pressed Ctrl-C.
    pub(crate) fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Measures all slices of a plan; with `floor` the first subject twice.
    pub(crate) fn measure(&mut self, plan: &Plan, floor: bool) {
        let mut subjects = plan.subjects.clone();
        if floor && let Some(first) = subjects.first() {
            subjects.push(format!("{first}{AGAIN}"));
        }
        let seed = plan.points.first().map_or(1, |point| point.seed);
        let orders = statistics::orders(subjects.len(), plan.blocks, seed);
        let total = plan.points.len() * plan.blocks * subjects.len();
        let mut progress = Progress::new(total);
        let share = self
            .budget
            .map(|budget| budget / plan.points.len().max(1) as u32);
        // A point's blocks are neighbours in time; all points of a block would be too far apart.
        for point in &plan.points {
            let began = Instant::now();
            for (block, order) in orders.iter().enumerate() {
                let spent = share.is_some_and(|share| began.elapsed() >= share);
                let clear =
                    || compared::is_clear(&self.document.slices, point, &subjects, self.threshold);
                if block >= LEAST_BLOCKS && (spent || clear()) {
                    progress.spare((plan.blocks - block) * subjects.len());
                    break;
                }
                for &place in order {
                    if self.interrupted() || self.late() {
                        return;
                    }
                    let mut spec = point.clone();
                    spec.subject.clone_from(&subjects[place]);
                    spec.baseline.clone_from(&subjects[0]);
                    spec.block = block;
                    spec.seed = spec.seed.wrapping_add(block as u64);
                    progress.step(&spec.point(), &spec.subject);
                    self.slice(&spec);
                }
            }
        }
    }

    /// Measures one slice and keeps it, unless Ctrl-C tore it.
    fn slice(&mut self, spec: &Spec) {
        let program = self.programs.as_ref().and_then(|(programs, own)| {
            let program = programs.get(spec.program())?;
            Some((program, own))
        });
        let result = match program {
            Some((program, own)) => slices::measure_program(spec, program, own),
            None => slices::measure(spec),
        };
        if self.interrupted() {
            return;
        }
        let slice = result.unwrap_or_else(|problem| slices::failed(spec, problem));
        self.document.slices.push(slice);
    }

    /// Compares, prints and writes; the document remains.
    pub(crate) fn finish(mut self, common: &Common) -> Result<(Document, Ending), String> {
        self.document.interrupted = self.interrupted() || self.late();
        shapes::check(&mut self.document.slices);
        self.compare();
        print!("{}", table::draw(&self.document));
        output::write(&self.document, common)?;
        let any = self.document.slices.iter().any(Slice::valid);
        let ending = if any { Ending::Good } else { Ending::Invalid };
        Ok((self.document, ending))
    }
}

/// `compare`: of what has a name here, or of programs.
pub(crate) fn compare(options: &Compare) -> Result<Ending, String> {
    let common = &options.common;
    let mut session = Session::of(common)?;
    let plan = match plan::compare(options)? {
        Compared::Subjects(plan) => plan,
        Compared::Programs(plan, programs, own) => {
            session.programs = Some((programs, own));
            plan
        }
    };
    measure_checked(&mut session, &plan, !common.no_floor);
    session.finish(common).map(|(_, ending)| ending)
}

/// Runs a plan, with the checks that its workloads need.
pub(crate) fn run(plan: &Plan, common: &Common) -> Result<Ending, String> {
    let mut session = Session::of(common)?;
    measure_checked(&mut session, plan, !common.no_floor);
    session.finish(common).map(|(_, ending)| ending)
}
