//! A run: interleaved blocks of slices, their comparison, and what is made of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use benches::selbench::checks::{self, Flag, Reason};
use benches::selbench::environment::Environment;
use benches::selbench::schema::{AGAIN, Document, SCHEMA, Slice, Spec, Workload};
use benches::selbench::server;
use benches::selbench::statistics::{self, Comparison};
use benches::stats;

use crate::arguments::{Common, Compare, Load};
use crate::plan::{self, Compared, Plan};
use crate::programs::Program;
use crate::progress::Progress;
use crate::{Ending, output, slices, table};
use benches::selbench::placement::Placement;

/// What a session has measured so far.
pub(crate) struct Session {
    document: Document,
    interrupted: Arc<AtomicBool>,
    threshold: f64,
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
            programs: None,
            deadline: None,
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
        // A point's blocks are neighbours in time; all points of a block would be too far apart.
        for point in &plan.points {
            for (block, order) in orders.iter().enumerate() {
                for &place in order {
                    if self.interrupted() || self.late() {
                        progress.end();
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
        progress.end();
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

    /// Measures how fast the generator can be: the null server, with four times the depth.
    pub(crate) fn null_rate(&self, point: &Spec) -> Option<f64> {
        if self.interrupted() || self.late() {
            return None;
        }
        let mut spec = point.clone();
        if point.workload != Workload::Churn {
            spec.workload = Workload::Echo;
        }
        server::null(point.placement).clone_into(&mut spec.subject);
        spec.server = None;
        spec.server_program = None;
        spec.milliseconds = spec.milliseconds.min(300);
        let depth = spec.number("depth").max(1.0);
        spec.parameters.insert("depth".to_owned(), 4.0 * depth);
        spec.parameters.remove("rate");
        let slice = slices::measure(&spec).ok()?;
        slice.metrics.get("rate").copied()
    }

    /// Adds the check of headroom to the slices of a point. Where the server had no time to rest
    /// and the rate is what it could do, none is needed: the generator was not the limit.
    pub(crate) fn check_headroom(&mut self, point: &Spec, null_rate: f64) {
        let name = point.point();
        for slice in &mut self.document.slices {
            let of_it = slice.spec.point() == name;
            let bound = slice
                .metrics
                .get("server_cpu")
                .is_some_and(|&cpu| cpu >= 0.9);
            if !of_it || slice.metrics.contains_key("headroom") {
                continue;
            }
            let offered = matches!(slice.spec.workload, Workload::Load | Workload::Fair);
            let figure = |name: &str| slice.metrics.get(name).copied().unwrap_or(0.0);
            let rate = match slice.spec.workload {
                _ if offered => slice.spec.number("rate"),
                Workload::Overload => figure("goodput"),
                _ => figure("rate"),
            };
            if rate <= 0.0 {
                continue;
            }
            slice
                .metrics
                .insert("headroom".to_owned(), null_rate / rate);
            if offered || !bound {
                slice.flags.extend(checks::headroom(null_rate, rate));
            }
        }
    }

    /// Compares, prints and writes; the document remains.
    pub(crate) fn finish(mut self, common: &Common) -> Result<(Document, Ending), String> {
        self.document.interrupted = self.interrupted() || self.late();
        check_shapes(&mut self.document.slices);
        self.compare();
        print!("{}", table::draw(&self.document));
        output::write(&self.document, common)?;
        let any = self.document.slices.iter().any(Slice::valid);
        let ending = if any { Ending::Good } else { Ending::Invalid };
        Ok((self.document, ending))
    }

    fn compare(&mut self) {
        let slices = &self.document.slices;
        let mut points: Vec<String> = slices.iter().map(|slice| slice.spec.point()).collect();
        points.dedup();
        points.sort();
        points.dedup();
        let mut floors = Vec::new();
        for point in &points {
            let Some(baseline) = baseline(slices, point) else {
                continue;
            };
            let again = format!("{baseline}{AGAIN}");
            if let Some(same) = statistics::compare(slices, point, &again, &baseline, 0.0)
                && same.blocks > 0
            {
                floors.push((same.high.ln() - same.low.ln()).abs() / 2.0);
            }
        }
        let floor = (!floors.is_empty()).then(|| stats::median(&floors));
        let threshold = self.threshold.max(2.0 * floor.unwrap_or(0.0));
        let mut comparisons: Vec<Comparison> = Vec::new();
        for point in &points {
            let Some(baseline) = baseline(slices, point) else {
                continue;
            };
            for subject in table::subjects(slices, point) {
                if subject != baseline {
                    comparisons.extend(statistics::compare(
                        slices, point, &subject, &baseline, threshold,
                    ));
                }
            }
        }
        self.document.noise_floor = floor;
        self.document.comparisons = comparisons;
    }
}

/// What the others at a point are compared with: what the slices say themselves. Results that were
/// written before they said it had an A/A twin of it, or the yardstick among them.
pub(crate) fn baseline(slices: &[Slice], point: &str) -> Option<String> {
    let subjects = table::subjects(slices, point);
    let told = slices
        .iter()
        .find(|slice| slice.spec.point() == point && !slice.spec.baseline.is_empty())
        .map(|slice| &slice.spec.baseline)
        .filter(|&baseline| subjects.contains(baseline));
    if let Some(told) = told {
        return Some(told.clone());
    }
    let twin = subjects.iter().find_map(|name| name.strip_suffix(AGAIN));
    let bare = subjects.iter().find(|name| name.starts_with("bare"));
    twin.map(str::to_owned)
        .or_else(|| bare.cloned())
        .or_else(|| subjects.first().cloned())
}

/// Curves over N that cannot be make all their rows suspicious.
fn check_shapes(slices: &mut [Slice]) {
    let of_ring =
        |slice: &&Slice| slice.spec.workload == Workload::Ring && slice.spec.count("active") == 1;
    let mut names: Vec<String> = slices
        .iter()
        .filter(of_ring)
        .map(|slice| slice.spec.subject.clone())
        .collect();
    names.sort();
    names.dedup();
    for name in names {
        let mut by_size = std::collections::BTreeMap::<usize, Vec<f64>>::new();
        for slice in slices
            .iter()
            .filter(of_ring)
            .filter(|slice| slice.spec.subject == name && slice.valid())
        {
            by_size
                .entry(slice.spec.count("registered"))
                .or_default()
                .extend(slice.cost());
        }
        let costs: Vec<(usize, f64)> = by_size
            .into_iter()
            .map(|(size, costs)| (size, stats::median(&costs)))
            .collect();
        let Some(flag) = checks::shape(&name, &costs) else {
            continue;
        };
        for slice in slices
            .iter_mut()
            .filter(|slice| slice.spec.workload == Workload::Ring)
        {
            if slice.spec.subject == name && slice.spec.count("active") == 1 {
                slice.flags.push(flag.clone());
            }
        }
    }
}

/// `compare`: of what has a name here, or of programs.
pub(crate) fn compare(options: &Compare) -> Result<Ending, String> {
    let common = &options.common;
    let mut session = Session::begin(common.threshold)?;
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
    let mut session = Session::begin(common.threshold)?;
    measure_checked(&mut session, plan, !common.no_floor);
    session.finish(common).map(|(_, ending)| ending)
}

/// Measures a plan, and for clients of servers the generator's headroom.
pub(crate) fn measure_checked(session: &mut Session, plan: &Plan, floor: bool) {
    let wired = |point: &&Spec| point.workload.serves() && point.placement != Placement::SameCpu;
    let rates: Vec<(Spec, f64)> = plan
        .points
        .iter()
        .filter(wired)
        .filter_map(|point| Some((point.clone(), session.null_rate(point)?)))
        .collect();
    session.measure(plan, floor);
    for (point, rate) in rates {
        session.check_headroom(&point, rate);
    }
}

/// `load`: capacities first, if rates are asked for as shares of the slowest one.
pub(crate) fn load(options: &Load) -> Result<Ending, String> {
    let common = &options.common;
    let plan = plan::wired(Workload::Load, common, &options.wire, Placement::SplitSpin)?;
    let mut session = Session::begin(common.threshold)?;
    let arrivals = if options.poisson { "poisson" } else { "even" };
    offer(
        &mut session,
        &plan,
        &options.rates,
        &options.percent,
        arrivals,
        !common.no_floor,
    );
    session.finish(common).map(|(_, ending)| ending)
}

/// Measures the points of `plan` at each rate, or at each percentage of the slowest capacity.
pub(crate) fn offer(
    session: &mut Session,
    plan: &Plan,
    rates: &[f64],
    percent: &[f64],
    arrivals: &str,
    floor: bool,
) {
    for point in &plan.points {
        let null_rate = session.null_rate(point);
        let rates: Vec<f64> = if rates.is_empty() {
            let slowest = session.capacities(plan, point).map_or(0.0, |both| both.0);
            let share = |percent: &f64| (slowest * percent / 100.0 / 100.0).round() * 100.0;
            percent.iter().map(share).collect()
        } else {
            rates.to_vec()
        };
        let points = rates.into_iter().filter(|&rate| rate >= 1.0).map(|rate| {
            let mut one = point.clone();
            one.parameters.insert("rate".to_owned(), rate);
            one.choices
                .insert("arrivals".to_owned(), arrivals.to_owned());
            one
        });
        let plan = Plan {
            points: points.collect(),
            ..plan.clone()
        };
        session.measure(&plan, floor);
        for point in &plan.points {
            match null_rate {
                Some(null_rate) => session.check_headroom(point, null_rate),
                None => session.unproven(point),
            }
        }
    }
}

impl Session {
    /// The closed-loop rates of the slowest subject and of the fastest; nothing if none could be
    /// measured.
    pub(crate) fn capacities(&self, plan: &Plan, point: &Spec) -> Option<(f64, f64)> {
        let mut rates = Vec::new();
        for subject in &plan.subjects {
            if self.interrupted() || self.late() {
                return None;
            }
            let mut spec = point.clone();
            spec.workload = Workload::Echo;
            spec.subject.clone_from(subject);
            spec.milliseconds = spec.milliseconds.min(300);
            let slice = slices::measure(&spec).ok();
            let rate = slice.and_then(|slice| slice.metrics.get("rate").copied());
            eprintln!("capacity of {subject}: {:.0}/s", rate.unwrap_or(0.0));
            rates.extend(rate);
        }
        let slowest = rates.iter().copied().reduce(f64::min)?;
        let fastest = rates.iter().copied().reduce(f64::max)?;
        Some((slowest, fastest))
    }

    /// The null server could not be measured: nothing proves the generator.
    fn unproven(&mut self, point: &Spec) {
        let name = point.point();
        for slice in self
            .document
            .slices
            .iter_mut()
            .filter(|slice| slice.spec.point() == name)
        {
            slice.flags.push(Flag {
                reason: Reason::Headroom,
                detail: "the null server could not be measured".to_owned(),
            });
        }
    }
}
