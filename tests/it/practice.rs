//! tmp
#[test]
fn dump() {
    let t = std::time::Instant::now();
    let people = menka::practice::people(std::path::Path::new("var/pictures")).unwrap();
    println!("load {:?}", t.elapsed());
    for (i, p) in people.iter().enumerate() {
        for (name, v) in [
            ("plain", menka::practice::Variant::Plain),
            ("relit", menka::practice::Variant::Relit),
            ("probe", menka::practice::Variant::Probe),
        ] {
            let t = std::time::Instant::now();
            let f = menka::practice::picture_frame(p, v, 5);
            let e = t.elapsed();
            let t = std::time::Instant::now();
            let _ = menka::practice::picture_frame(p, v, 6);
            println!("{i} {name} first {e:?} next {:?}", t.elapsed());
            let mut o = format!("P6 {} {} 255\n", f.width(), f.height()).into_bytes();
            o.extend_from_slice(f.rgb());
            std::fs::write(format!("/tmp/devices/dump_{i:02}_{name}.ppm"), o).unwrap();
        }
    }
}
