//! What is left of templates in a decrypted file, free pages and all, without knowing whose: a template is a row of small numbers (128 of 32 bits,
//! all between -1 and 1), and nothing else that desk and gates keep looks like that.

/// Numbers in a row that are taken for a remainder: 96 bytes. By chance, in bytes that are keys or digests, one in 10^25.
const RUN_MIN: usize = 24;

/// Takes every copy of what may be there out of the pages. Returns how many there were.
pub fn take_out(pages: &mut [u8], known: &[Vec<u8>]) -> usize {
    let mut taken = 0;
    for template in known {
        let mut from = 0;
        while let Some(at) = find(&pages[from..], template) {
            let start = from + at;
            pages[start..start + template.len()].fill(0);
            (taken, from) = (taken + 1, start + template.len());
        }
    }
    taken
}

/// Where remainders of templates lie.
pub fn remains(pages: &[u8]) -> Vec<usize> {
    let mut found = vec![];
    for offset in 0..4 {
        let mut run = 0;
        for (number, bytes) in pages[offset.min(pages.len())..].chunks_exact(4).enumerate() {
            let value = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]).abs();
            run = if (1e-7..1.0).contains(&value) { run + 1 } else { 0 };
            if run == RUN_MIN {
                found.push(offset + (number + 1 - RUN_MIN) * 4);
            }
        }
    }
    found
}

fn find(pages: &[u8], what: &[u8]) -> Option<usize> {
    let first = what.first()?;
    let mut from = 0;
    while let Some(at) = pages[from..].iter().position(|byte| byte == first) {
        if pages[from + at..].starts_with(what) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}
