#!/usr/bin/env -S cargo +nightly -Zscript
---
[package]
edition = "2024"

[dependencies]
# Reads what rustdoc says of a library, and lists what of it is public. It knows the format of one
# version of rustdoc after another, so the two grow together.
public-api = { version = "=0.52.2", default-features = false }
---
//! The public API that a file of rustdoc's JSON describes, one item a line, without what every type has
//! by itself: `api.rs FILE`.

fn main() {
    let file = std::env::args().nth(1).expect("a file of rustdoc's JSON");
    let api = public_api::Builder::from_rustdoc_json(&file)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build();
    match api {
        Ok(api) => print!("{api}"),
        Err(error) => {
            eprintln!("api: {file}: {error}");
            std::process::exit(1);
        }
    }
}
