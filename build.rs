//! Links dlib statically, so that the packages need neither libdlib nor the data package it depends on.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=MENKA_DLIB_ARCHIVE");
    println!("cargo:rerun-if-env-changed=MENKA_PACKAGE");
    let packaged = std::env::var_os("MENKA_PACKAGE").is_some();
    if packaged && std::env::var_os("CARGO_FEATURE_PRACTICE").is_some() {
        // What is shipped has no picture camera and no practice site.
        println!("cargo:error=a package is never built with the feature practice");
        std::process::exit(1);
    }
    #[cfg(target_os = "linux")]
    if std::env::var_os("CARGO_FEATURE_FACE").is_some() {
        prefer_static_dlib();
    }
}

/// Puts a folder with nothing but `libdlib.a` on the linker's path.
///
/// The dlib crate asks the linker for `-ldlib`; a folder that also held `libdlib.so` would win with the shared one,
/// whose Debian package drags in a model that may not be used commercially.
#[cfg(target_os = "linux")]
fn prefer_static_dlib() {
    use std::path::PathBuf;

    let arch = std::env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    let given = std::env::var_os("MENKA_DLIB_ARCHIVE").map(PathBuf::from);
    let usual = [format!("/usr/lib/{arch}-linux-gnu/libdlib.a"), "/usr/local/lib/libdlib.a".into()];
    let archive = given.into_iter().chain(usual.into_iter().map(PathBuf::from)).find(|path| path.is_file());
    let (Some(archive), Some(out)) = (archive, std::env::var_os("OUT_DIR")) else {
        println!("cargo:warning=libdlib.a was not found: dlib is linked as a shared library");
        return;
    };
    let folder = PathBuf::from(out).join("dlib-static");
    let link = folder.join("libdlib.a");
    let placed = std::fs::create_dir_all(&folder).and_then(|()| {
        if link.symlink_metadata().is_ok() {
            std::fs::remove_file(&link)?;
        }
        std::os::unix::fs::symlink(&archive, &link)
    });
    match placed {
        Ok(()) => println!("cargo:rustc-link-search=native={}", folder.display()),
        Err(error) => println!("cargo:warning=dlib is linked as a shared library: {error}"),
    }
}
