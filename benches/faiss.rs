//! faiss's flat index in a process of its own (`faiss_flat.py`), which says how long each search took inside it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use menka::secret::TEMPLATE_LEN;

/// A unit vector.
pub type Vector = [f32; TEMPLATE_LEN];

/// The process, and its index over the vectors that it was given.
pub struct Faiss {
    child: Child,
    ask: ChildStdin,
    answer: BufReader<ChildStdout>,
}

impl Faiss {
    /// Gives the vectors to the Python that `MENKA_FAISS` names.
    ///
    /// # Errors
    /// Why faiss cannot be measured.
    pub fn start(held: &[Vector]) -> Result<Self, String> {
        let python = std::env::var_os("MENKA_FAISS").ok_or("MENKA_FAISS names no Python with faiss")?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/faiss_flat.py");
        let mut command = Command::new(python);
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("the Python of MENKA_FAISS: {error}"))?;
        let (Some(ask), Some(answer)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("no way to the Python of MENKA_FAISS".into());
        };
        let mut faiss = Self { child, ask, answer: BufReader::new(answer) };
        let mut ready = String::new();
        let given = faiss.give(held).and_then(|()| faiss.answer.read_line(&mut ready));
        if given.is_ok() && ready.starts_with("faiss ") { Ok(faiss) } else { Err("MENKA_FAISS has no faiss".into()) }
    }

    /// The place of the nearest of each probe, and the microseconds of the whole batch.
    pub fn search(&mut self, probes: &[Vector]) -> Result<(Vec<usize>, f64), Box<dyn std::error::Error>> {
        self.give(probes)?;
        let mut line = String::new();
        self.answer.read_line(&mut line)?;
        let (us, places) = line.trim().split_once(' ').ok_or("faiss said nothing")?;
        let places = places.split(' ').map(str::parse).collect::<Result<Vec<usize>, _>>()?;
        if places.len() == probes.len() { Ok((places, us.parse()?)) } else { Err("faiss left probes out".into()) }
    }

    fn give(&mut self, vectors: &[Vector]) -> std::io::Result<()> {
        self.ask.write_all(&(vectors.len() as u64).to_le_bytes())?;
        for vector in vectors {
            let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
            self.ask.write_all(&bytes)?;
        }
        self.ask.flush()
    }
}

impl Drop for Faiss {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
