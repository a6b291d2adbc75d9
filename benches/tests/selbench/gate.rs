//! The gate closes on what is worse, whatever hides it, and says when it cannot judge.

use crate::support::files;
use crate::support::quiet;
use crate::support::selbench;
use crate::support::write;
use benches::method::{Document, Flag, Reason, Slice};

/// Changes a slice as a worse program would have: what belongs together stays together.
fn slower(slice: &mut Slice, times: f64) {
    for name in ["ns_per_event", "ns_per_wait"] {
        *slice.metrics.get_mut(name).unwrap() *= times;
    }
}

/// One wait more for each event.
fn chattier(slice: &mut Slice) {
    let waits = slice.system_calls.get_mut("wait").unwrap();
    *slice.metrics.get_mut("ns_per_wait").unwrap() *= *waits / (*waits + 1.0);
    *waits += 1.0;
}

/// What the gate answers about `new` beside `base`, each given as often as it says.
fn gate(name: &str, base: &Document, new: &[&Document]) -> (Option<i32>, String) {
    let path = files(name);
    write(&path("base.json"), base);
    let mut words = format!("gate {}", path("base.json"));
    for (number, document) in new.iter().enumerate() {
        let path = path(&format!("new-{number}.json"));
        write(&path, document);
        words += &format!(" {path}");
    }
    selbench(&words)
}

/// The document with other slices, and without verdicts: those follow from the slices.
fn with(document: &Document, change: impl FnOnce(&mut Vec<Slice>)) -> Document {
    let mut document = document.clone();
    change(&mut document.slices);
    document.comparisons.clear();
    document.noise_floor = None;
    document
}

const RING: &str = "ring --registered 2,4 --ms 3 --subjects bare-epoll,ours-epoll";

#[test]
fn more_system_calls_are_worse_and_time_needs_two_sessions() {
    let base = with(&quiet("gate-ring", RING), |_| {});
    let slow = with(&base, |slices| slower(&mut slices[0], 1.5));
    let chatty = with(&base, |slices| chattier(&mut slices[0]));
    let told = |new: &[&Document]| gate("gate-times", &base, new);
    assert_eq!(told(&[&base]).0, Some(0));
    let (code, text) = told(&[&slow]);
    assert_eq!(code, Some(0), "one session proves nothing: {text}");
    assert!(text.contains("suspicious"), "{text}");
    assert_eq!(told(&[&slow, &slow]).0, Some(1));
    assert_eq!(told(&[&slow, &base]).0, Some(0), "sessions disagree");
    assert_eq!(told(&[&chatty]).0, Some(1));
    // Noise does not change counts, and hides none.
    let noisy = with(&chatty, |slices| {
        let noise = Flag::new(Reason::NoisyForeign, "");
        slices.iter_mut().for_each(|slice| slice.flags = vec![noise.clone()]);
    });
    let (code, text) = told(&[&noisy]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("system calls"), "{text}");
}

#[test]
fn errors_lost_replies_backlog_and_too_little_work_are_worse_and_only_noise_is_undecided() {
    let words = "echo --connections 2 --ms 60 --subjects bare,ours";
    let base = with(&quiet("gate-echo", words), |_| {});
    let told = |what: &str, change: &dyn Fn(&mut Slice)| {
        let new = with(&base, |slices| slices.iter_mut().for_each(change));
        gate(&format!("gate-{what}"), &base, &[&new])
    };
    for (reason, code) in [
        (Reason::Errors, Some(1)),
        (Reason::Lost, Some(1)),
        (Reason::Backlog, Some(1)),
        (Reason::ResourceWall, Some(1)),
        (Reason::NoisyForeign, Some(2)),
        (Reason::NoisySteal, Some(2)),
    ] {
        let flagged = |slice: &mut Slice| slice.flags.push(Flag::new(reason, "seen"));
        let (exit, text) = told(&reason.code(), &flagged);
        assert_eq!(exit, code, "{}: {text}", reason.code());
        if code == Some(1) {
            assert!(text.contains(&format!("{}: seen", reason.code())), "{text}");
        }
    }
    // Corrupted replies are not excused by the noise beside them.
    let both = |slice: &mut Slice| {
        slice
            .flags
            .extend([Flag::new(Reason::NoisyForeign, ""), Flag::new(Reason::Errors, "3 replies")]);
    };
    assert_eq!(told("both", &both).0, Some(1));
    // A fifth of the time, and a fifth of what was done in it, is no less work; in as much time it is.
    let short = |slice: &mut Slice| {
        slice.spec.milliseconds *= 5;
        slice.metrics.remove("rate");
    };
    let (code, text) = told("little", &short);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("too little work"), "{text}");
    let nothing = |slice: &mut Slice| {
        slice.metrics.clear();
        slice.histograms.clear();
    };
    assert_eq!(told("nothing", &nothing).0, Some(1), "nothing was measured, and nobody says why");
}

#[test]
fn an_empty_base_is_refused_and_rows_that_a_side_lacks_are_told() {
    let whole = with(&quiet("gate-rows", RING), |_| {});
    let only = |name: &str| {
        with(&whole, |slices| {
            slices.retain(|slice| slice.spec.subject == name);
        })
    };
    let (ours, none) = (only("ours-epoll"), only("nobody"));
    let (code, text) = gate("gate-empty", &none, &[&whole]);
    assert_eq!(code, Some(64), "{text}");
    assert!(text.contains("the base has no slice"), "{text}");
    assert_eq!(gate("gate-none", &whole, &[&none]).0, Some(2), "nothing was compared");

    let (code, text) = gate("gate-missing", &whole, &[&ours]);
    assert_eq!(code, Some(2), "what was not measured is not good: {text}");
    assert_eq!(text.matches("MISSING ring").count(), 2, "{text}");
    assert!(text.contains("measure again with the command of the base"), "{text}");

    let (code, text) = gate("gate-more", &ours, &[&whole]);
    assert_eq!(code, Some(0), "more than before is no harm: {text}");
    assert!(text.contains("2 rows are new"), "{text}");

    let chatty = with(&ours, |slices| chattier(&mut slices[0]));
    let (code, text) = gate("gate-both", &whole, &[&chatty]);
    assert_eq!(code, Some(1), "a regression is one, whatever is missing: {text}");
    assert!(text.contains("REGRESSION") && text.contains("MISSING"), "{text}");

    let wrong = with(&whole, |slices| {
        slices
            .iter_mut()
            .for_each(|slice| slice.flags = vec![Flag::new(Reason::Errors, "a reset")]);
    });
    let (code, text) = gate("gate-wrong-base", &wrong, &[&whole]);
    assert_eq!(code, Some(2), "a base that is wrong judges nothing: {text}");
}

#[test]
fn results_that_were_edited_are_refused() {
    let ring = quiet("edited-ring", RING);
    let echo = quiet("edited-echo", "echo --connections 2 --ms 60 --subjects bare");
    type Edit = fn(&mut Slice);
    let edits: [(&str, &Document, Edit); 5] = [
        ("sum", &ring, |slice| {
            *slice.metrics.get_mut("ns_per_event").unwrap() *= 0.5;
        }),
        ("rate", &echo, |slice| {
            *slice.metrics.get_mut("rate").unwrap() *= 2.0;
        }),
        ("decode", &echo, |slice| {
            drop(slice.histograms.insert("service".into(), "AAAA".into()));
        }),
        ("max", &echo, |slice| {
            *slice.metrics.get_mut("service_max_ns").unwrap() += 1.0;
        }),
        ("calls", &ring, |slice| {
            slice.system_calls.insert("wait".into(), -1.0);
        }),
    ];
    for (name, document, edit) in edits {
        let edited = with(document, |slices| edit(&mut slices[0]));
        let (code, text) = gate(&format!("edited-{name}"), document, &[&edited]);
        assert_eq!(code, Some(64), "{name}: {text}");
        assert!(text.contains("was edited, or damaged"), "{name}: {text}");
    }
    // A verdict that does not follow from the slices.
    let mut verdict = crate::support::document("edited-verdicts", RING);
    assert!(!verdict.comparisons.is_empty());
    for one in &mut verdict.comparisons {
        one.ratio *= 0.5;
    }
    let (code, text) = gate("edited-verdict", &ring, &[&verdict]);
    assert_eq!(code, Some(64), "{text}");
}

#[test]
fn a_server_that_corrupts_replies_is_a_regression_from_end_to_end() {
    let path = files("gate-server");
    let measured = |what: &str, json: &str| {
        let (server, json) = (path("server"), path(json));
        crate::support::server(&server, what);
        let words = "--sizes 2 --ms 300 --blocks 1 --no-floor";
        selbench(&format!("compare {server} {server} {words} --json {json}"));
    };
    measured("bare", "good.json");
    measured("faulty-alters", "bad.json");
    let (code, text) = selbench(&format!("gate {} {}", path("good.json"), path("bad.json")));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("replies were not what was sent"), "{text}");
}
