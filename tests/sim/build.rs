//! Compiles the one file of C, and lets it stand before the C library.

/// What `process.c` defines. Exported, because some libraries look these up by
/// name at run time.
const TAKEN_OVER: [&str; 7] = [
    "clock_gettime",
    "clock_settime",
    "getentropy",
    "getrandom",
    "gettimeofday",
    "pthread_create",
    "syscall",
];

fn main() {
    println!("cargo:rerun-if-changed=process.c");
    let level = std::env::var("OPT_LEVEL").unwrap_or_default();
    let optimised = if level == "0" { "no" } else { "yes" };
    println!("cargo:rustc-env=HANGRAFT_SIM_OPTIMISED={optimised}");
    cc::Build::new().file("process.c").link_lib_modifier("+whole-archive").compile("process");
    for name in TAKEN_OVER {
        println!("cargo:rustc-link-arg-bins=-Wl,--export-dynamic-symbol={name}");
    }
}
