//! What the check of a built book finds, on books of two pages with one fault each.

use std::path::PathBuf;
use std::{env, fs};

use book::built::faults;

/// A folder that goes when the test is over.
struct Book(PathBuf);

impl Book {
    fn new(name: &str, page: &str) -> Book {
        let folder = env::temp_dir().join(format!("built-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let book = Book(folder);
        book.file("page.html", page);
        book.file("print.html", "<h1 id=\"top\">all of it</h1>");
        book.file("searchindex-1.js", "");
        book
    }

    fn file(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).expect("it can be written");
    }

    fn faults(&self) -> Vec<String> {
        faults(&self.0).expect("it can be read")
    }
}

impl Drop for Book {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).expect("ours");
    }
}

#[track_caller]
fn finds(name: &str, page: &str, expected: &[&str]) {
    assert_eq!(Book::new(name, page).faults(), expected);
}

#[test]
fn a_whole_book_has_no_fault() {
    let page = "<a href=\"print.html#top\">all</a> <a href=\"#here\"> <p id=\"here\">\
                <a href=\"https://example.org/\">elsewhere</a> a &lt;img src=\"x\"&gt; in text";
    finds("whole", page, &[]);
}

#[test]
fn links_that_lead_nowhere_are_found() {
    let page = "<a href=\"gone.html\">a</a><iframe src=\"timelines/s99.html\"></iframe>";
    let faults = [
        "page.html: gone.html does not exist",
        "page.html: timelines/s99.html does not exist",
    ];
    finds("nowhere", page, &faults);
    let page = "<a href=\"print.html#gone\">a</a><a href=\"#gone\">a</a>";
    let faults = [
        "page.html: #gone: the page has no such place",
        "page.html: print.html#gone: the page has no such place",
    ];
    finds("place", page, &faults);
}

#[test]
fn an_include_that_is_left_is_found() {
    let page = "<pre>{{#include made/s99.diff}}</pre>";
    finds("include", page, &["page.html: an include was not expanded"]);
}

#[test]
fn what_is_fetched_from_elsewhere_is_found() {
    for (name, link) in [
        ("script", "<script src=\"https://cdn.example/a.js\">"),
        (
            "style",
            "<link rel=\"stylesheet\" href=\"//cdn.example/a.css\">",
        ),
    ] {
        let faults = Book::new(name, link).faults();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(
            faults[0].ends_with("is fetched from elsewhere"),
            "{faults:?}"
        );
    }
}

#[test]
fn a_style_sheet_that_fetches_is_found() {
    let book = Book::new("sheet", "");
    book.file("a.css", "@font-face { src: url(\"fonts/a.woff2\") }");
    assert_eq!(book.faults(), [""; 0]);
    book.file(
        "a.css",
        "@font-face { src: url(https://cdn.example/a.woff2) }",
    );
    let faults = ["a.css: something in it is fetched from elsewhere"];
    assert_eq!(book.faults(), faults);
}

#[test]
fn a_book_that_cannot_be_printed_or_searched_is_found() {
    let book = Book::new("less", "");
    fs::remove_file(book.0.join("print.html")).expect("it is there");
    fs::remove_file(book.0.join("searchindex-1.js")).expect("it is there");
    let faults = book.faults();
    assert_eq!(faults.len(), 2, "{faults:?}");
}
