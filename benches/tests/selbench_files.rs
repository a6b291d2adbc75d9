//! `selbench` in the hands of a stranger: wrong files, wrong names, rows that one side lacks. Every
//! answer says what is wrong and what to do, with the exit code of the guide.

#![cfg(feature = "selbench")]

use std::path::{Path, PathBuf};
use std::process::Command;

use benches::selbench::schema::{Document, Slice};

/// Exit code, and everything that was printed.
fn selbench(words: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_selbench"))
        .args(words)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

/// A folder of this test's own; removed by the next run of the same test.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A ring of two sizes on one subject, all of it valid: four slices.
fn measured(folder: &Path) -> Document {
    let file = folder.join("measured.json");
    let path = file.to_str().unwrap();
    let (_, text) = selbench(&[
        "ring",
        "--registered",
        "2,4",
        "--blocks",
        "1",
        "--ms",
        "3",
        "--no-floor",
        "--subjects",
        "bare-epoll,ours-epoll",
        "--json",
        path,
    ]);
    let mut document = Document::read(path).unwrap_or_else(|problem| panic!("{problem}: {text}"));
    // A debug build and a busy machine make slices invalid; here they only carry numbers.
    for slice in &mut document.slices {
        slice.flags.clear();
    }
    document
}

fn write(path: &Path, document: &Document) {
    std::fs::write(path, serde_json::to_string(document).unwrap()).unwrap();
}

#[test]
fn a_file_that_cannot_be_read_says_why_and_what_to_do() {
    let folder = folder("files-unreadable");
    let mut document = measured(&folder);
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    write(&folder.join("good.json"), &document);
    document.schema = "selbench-v9".to_owned();
    write(&folder.join("v9.json"), &document);
    let good = std::fs::read_to_string(path("good.json")).unwrap();
    // A later version has fields of other kinds: the version is looked at first.
    let other = good
        .replace("selbench-v1", "selbench-v2")
        .replace("\"slices\":[", "\"slices\":[1,");
    let damaged = good.replace("\"slices\":[", "\"slices\":[1,");
    for (name, text) in [
        ("empty.json", ""),
        ("results.csv", "workload,subject\nring,ours-epoll\n"),
        ("cut.json", &good[..good.len() / 2]),
        ("other.json", "{\"name\": \"package\"}"),
        ("v2.json", &other),
        ("damaged.json", &damaged),
    ] {
        std::fs::write(path(name), text).unwrap();
    }
    std::fs::write(path("picture.json"), [0x89, b'P', 0xff, 0xfe]).unwrap();
    for (name, wrong, remedy) in [
        ("nowhere.json", "cannot be read", "is the name right?"),
        ("", "cannot be read", "give the file in it"),
        ("picture.json", "cannot be read", "in JSON"),
        ("empty.json", "is empty", "run it again"),
        ("results.csv", "is not JSON", "--json FILE"),
        ("cut.json", "cut short", "--json FILE"),
        ("other.json", "no result of selbench", "--json FILE"),
        ("v9.json", "selbench-v9", "measure again"),
        ("v2.json", "selbench-v2", "measure again"),
        (
            "damaged.json",
            "not as this program knows it",
            "measure again",
        ),
    ] {
        let (wrong_path, html) = (path(name), path("never.html"));
        for words in [
            &["report", &wrong_path, "-o", &html][..],
            &["gate", &wrong_path, &path("good.json")],
            &["gate", &path("good.json"), &wrong_path],
        ] {
            let (code, text) = selbench(words);
            assert_eq!(code, Some(64), "{words:?}: {text}");
            assert!(text.contains(&wrong_path), "{words:?}: which file? {text}");
            assert!(text.contains(wrong), "{words:?}: what is wrong? {text}");
            assert!(text.contains(remedy), "{words:?}: what to do? {text}");
        }
        assert!(!Path::new(&html).exists(), "no report of {name}");
    }
}

#[test]
fn a_place_that_cannot_be_written_is_refused_before_anything_is_measured() {
    let folder = folder("files-unwritable");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    for option in ["--json", "--csv", "--html"] {
        let (code, text) = selbench(&["ring", option, &path("nowhere/x")]);
        assert_eq!(code, Some(64), "{text}");
        assert!(
            text.contains("there is no folder") && text.contains(option),
            "{text}"
        );
        let (code, text) = selbench(&["ring", option, &path("")]);
        assert_eq!(code, Some(64), "{text}");
        assert!(text.contains("give the name of a file"), "{text}");
    }
}

#[test]
fn the_gate_tells_which_rows_a_side_lacks() {
    let folder = folder("files-rows");
    let whole = measured(&folder);
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let save = |name: &str, slices: Vec<Slice>| {
        let document = Document {
            slices,
            ..whole.clone()
        };
        write(&folder.join(name), &document);
    };
    let (ours, bare): (Vec<Slice>, Vec<Slice>) = whole
        .slices
        .iter()
        .cloned()
        .partition(|slice| slice.spec.subject == "ours-epoll");
    assert_eq!((ours.len(), bare.len()), (2, 2));
    save("whole.json", whole.slices.clone());
    save("ours.json", ours.clone());
    save("bare.json", bare.clone());
    save("none.json", Vec::new());
    let mut noisy = whole.slices.clone();
    let reset = serde_json::json!({"reason": "errors", "detail": "a reset"});
    noisy[0].flags = vec![serde_json::from_value(reset).unwrap()];
    save("noisy.json", noisy);
    let mut chatty = ours.clone();
    *chatty[0].system_calls.get_mut("wait").unwrap() += 1.0;
    save("chatty.json", chatty);
    let gate = |base: &str, new: &str| selbench(&["gate", &path(base), &path(new)]);

    let (code, text) = gate("whole.json", "whole.json");
    assert_eq!(code, Some(0), "{text}");
    assert!(!text.contains("MISSING"), "{text}");

    let (code, text) = gate("whole.json", "ours.json");
    assert_eq!(code, Some(2), "what was not measured is not good: {text}");
    assert_eq!(text.matches("MISSING ring").count(), 2, "{text}");
    assert!(
        text.contains("bare-epoll: the new files do not have it"),
        "{text}"
    );
    assert!(
        text.contains("measure again with the command of the base"),
        "{text}"
    );

    let (code, text) = gate("ours.json", "whole.json");
    assert_eq!(code, Some(0), "more than before is no harm: {text}");
    assert!(text.contains("2 rows are new"), "{text}");

    let (code, text) = gate("whole.json", "noisy.json");
    assert_eq!(code, Some(0), "three rows agree: {text}");
    assert_eq!(text.matches("not judged ring").count(), 1, "{text}");

    let (code, text) = gate("noisy.json", "whole.json");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("1 rows of the base are invalid"), "{text}");

    let (code, text) = gate("whole.json", "chatty.json");
    assert_eq!(
        code,
        Some(1),
        "a regression is one, whatever is missing: {text}"
    );
    assert!(
        text.contains("REGRESSION") && text.contains("MISSING"),
        "{text}"
    );

    for (base, new) in [("ours.json", "bare.json"), ("none.json", "ours.json")] {
        let (code, text) = gate(base, new);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains("give files of the same command"), "{text}");
    }
}

#[test]
fn two_that_cannot_be_compared_are_told_what_each_is() {
    let folder = folder("files-compared");
    let text_file = folder.join("notes.txt").to_str().unwrap().to_owned();
    std::fs::write(&text_file, "nothing").unwrap();
    let own = env!("CARGO_BIN_EXE_selbench");
    for (words, wrong) in [
        (
            &["compare", "ours-epoll", "ours"][..],
            &["ours-epoll is a selector", "ours is a runtime"][..],
        ),
        (
            &["compare", "nobody", "ours"],
            &["nobody is no subject", "echo --subjects list"],
        ),
        (
            &["compare", "ours-epoll", "nobody"],
            &["nobody is no subject", "ring --subjects list"],
        ),
        (
            &["compare", "./nowhere", own],
            &["./nowhere is a path, and there is no such file"],
        ),
        (
            &["compare", own, &text_file],
            &["is a file, but no program", "gate"],
        ),
        (
            &["compare", own, own, "--subject", "nobody"],
            &["--subject nobody", "list"],
        ),
        (&["compare", "ours"], &["Usage", "<B>"]),
        (
            &["ring", "--subjects", "nobody"],
            &["no subject is named nobody", "ours-epoll"],
        ),
        (
            &["echo", "--subjects", "nobody"],
            &["no subject is named nobody", "ours"],
        ),
        (&["matrix", "huge"], &["smoke, quick, full"]),
    ] {
        let (code, text) = selbench(words);
        assert_eq!(code, Some(64), "{words:?}: {text}");
        for word in wrong {
            assert!(text.contains(word), "{words:?} says {word}: {text}");
        }
    }
}

#[test]
fn a_server_that_is_none_makes_invalid_rows() {
    let server = ["/bin/true", "/usr/bin/true"];
    let server = server.into_iter().find(|path| Path::new(path).exists());
    let server = server.expect("every system has it");
    let words = [
        "compare", server, "--sizes", "1", "--blocks", "1", "--ms", "5",
    ];
    let words = [&words[..2], &[server], &words[2..]].concat();
    let (code, text) = selbench(&words);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("did not say where it listens"), "{text}");
}

#[test]
fn a_report_without_slices_is_written_and_says_so() {
    let folder = folder("files-nothing");
    let mut document = measured(&folder);
    document.slices.clear();
    write(&folder.join("none.json"), &document);
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (code, text) = selbench(&["report", &path("none.json"), "-o", &path("none.html")]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("nothing was measured"), "{text}");
    assert!(
        std::fs::read_to_string(path("none.html"))
            .unwrap()
            .contains("0 of 0 slices")
    );
}
