//! The gate closes on what is worse, whatever hides it, and says when it cannot judge.

use crate::support::{files, quiet, selbench, write};
use benches::method::{Document, Flag, Reason, Slice, results};

/// Half as slow again.
fn slower(slice: &mut Slice) {
    *slice.metrics.get_mut("ns_per_event").unwrap() *= 1.5;
}

/// One wait more for each event.
fn chattier(slice: &mut Slice) {
    *slice.system_calls.get_mut("wait").unwrap() += 1.0;
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
    let slow = with(&base, |slices| slower(&mut slices[0]));
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
        slice.flags = [Reason::NoisyForeign, Reason::Errors].map(|one| Flag::new(one, "")).into();
    };
    assert_eq!(told("both", &both).0, Some(1));
    // In five times the time as much work is little.
    let (code, text) = told("little", &|slice: &mut Slice| slice.spec.milliseconds *= 5);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("too little work"), "{text}");
    let nothing = |slice: &mut Slice| slice.metrics.clear();
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
    let chatty = with(&ours, |slices| chattier(&mut slices[0]));
    let reset = vec![Flag::new(Reason::Errors, "a reset")];
    let wrong = with(&whole, |slices| {
        slices.iter_mut().for_each(|slice| slice.flags.clone_from(&reset));
    });
    for (what, base, new, code, words) in [
        ("an empty base judges nothing", &none, &whole, 64, "the base has no slice"),
        ("nothing was compared", &whole, &none, 2, "MISSING ring"),
        ("what was not measured is not good", &whole, &ours, 2, "measure again with the command"),
        ("more than before is no harm", &ours, &whole, 0, "2 rows are new"),
        ("a regression is one, whatever is missing", &whole, &chatty, 1, "REGRESSION ring"),
        ("a base that is wrong judges nothing", &wrong, &whole, 2, "of the base are invalid"),
    ] {
        let (exit, text) = gate("gate-rows", base, &[new]);
        assert_eq!(exit, Some(code), "{what}: {text}");
        assert!(text.contains(words), "{what}: {text}");
    }
}

#[test]
fn results_that_were_edited_are_refused_and_laid_out_anew_they_are_read() {
    let path = files("edited");
    let good = results::text(&crate::support::document("edited-ring", RING)).unwrap();
    let value: serde_json::Value = serde_json::from_str(&good).unwrap();
    std::fs::write(path("good.json"), value.to_string()).unwrap();
    let cost = value["slices"][0]["metrics"]["ns_per_event"].to_string();
    let ratio = value["comparisons"][0]["ratio"].to_string();
    let calls = "\"wait\": 1.0".to_owned();
    for (name, was) in [("cost", cost), ("ratio", ratio), ("calls", calls)] {
        let edited =
            good.replacen(&was, &was.replace(|digit: char| digit.is_ascii_digit(), "2"), 1);
        assert_ne!(edited, good, "{name}");
        std::fs::write(path("bad.json"), edited).unwrap();
        let (code, text) = selbench(&format!("gate {} {}", path("good.json"), path("bad.json")));
        assert_eq!(code, Some(64), "{name}: {text}");
        assert!(text.contains("bad.json was edited, or damaged"), "{name}: {text}");
    }
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
