//! What parent and child say to each other: one byte of kind, four of length, then the body. Every length is checked
//! on both sides before anything is reserved for it; neither side trusts the other.

use std::io::{Error, ErrorKind, Read, Write};

use zeroize::Zeroizing;

use crate::domain::quality::{FaceBox, Look};
use crate::ports::FaceError;
use crate::secret::{FRAME_SIDE_MAX, Frame, TEMPLATE_LEN};

/// Kinds of messages. A request and its answer share one.
pub(super) mod kind {
    /// Child to parent, once: loaded and shut off. Body: the sandbox report.
    pub(crate) const READY: u8 = 1;
    /// A frame, and what is seen in it.
    pub(crate) const LOOK: u8 = 2;
    /// A face of a frame, and its template.
    pub(crate) const TEMPLATE: u8 = 3;
    /// Child to parent: it did not work. Body: a code and a word.
    pub(crate) const FAILED: u8 = 4;
    /// Tests only: try what the sandbox forbids, and the error numbers.
    #[cfg(feature = "practice")]
    pub(crate) const PROBE: u8 = 100;
    /// Tests only: hang.
    #[cfg(feature = "practice")]
    pub(crate) const STALL: u8 = 101;
}

/// Longest request: a frame of the largest size and its face.
pub(super) const REQUEST_MAX: usize = 8 + FACE_BYTES + 3 * (FRAME_SIDE_MAX * FRAME_SIDE_MAX) as usize;
/// Longest answer: a look with the most faces.
pub(super) const ANSWER_MAX: usize = LOOK_HEAD + FACES_MAX * FACE_BYTES;
/// Most faces in one look.
pub(super) const FACES_MAX: usize = super::yunet::FACES_MAX;

const FACE_BYTES: usize = 15 * 4;
const LOOK_HEAD: usize = 2 * 4 + 3 * 4;
const TEMPLATE_BYTES: usize = 4 * TEMPLATE_LEN;

/// Writes one message whose body comes in parts (so that pixels need not be copied together).
pub(super) fn write(to: &mut impl Write, kind: u8, parts: &[&[u8]]) -> std::io::Result<()> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let length = u32::try_from(length).map_err(|_| Error::from(ErrorKind::InvalidInput))?;
    let mut head = [kind, 0, 0, 0, 0];
    head[1..].copy_from_slice(&length.to_le_bytes());
    to.write_all(&head)?;
    for part in parts {
        to.write_all(part)?;
    }
    to.flush()
}

/// Reads one message of at most `most` bytes. The body is wiped when dropped.
pub(super) fn read(from: &mut impl Read, most: usize) -> std::io::Result<(u8, Zeroizing<Vec<u8>>)> {
    let mut head = [0u8; 5];
    from.read_exact(&mut head)?;
    let [kind, a, b, c, d] = head;
    let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).map_err(|_| Error::from(ErrorKind::InvalidData))?;
    if length > most {
        return Err(ErrorKind::InvalidData.into());
    }
    // Reserved once at full length: growing would leave copies behind.
    let mut body = Zeroizing::new(vec![0u8; length]);
    from.read_exact(&mut body)?;
    Ok((kind, body))
}

/// The head of a request: the frame's size and, for a template, the face.
pub(super) fn frame_head(frame: &Frame, face: Option<&FaceBox>) -> Vec<u8> {
    let mut head = Vec::with_capacity(8 + FACE_BYTES);
    head.extend(frame.width().to_le_bytes());
    head.extend(frame.height().to_le_bytes());
    if let Some(face) = face {
        put_face(&mut head, face);
    }
    head
}

/// Reads a frame (and the face before its pixels, when `with_face`) out of a request; what does not fit is wiped.
pub(super) fn frame_of(body: Zeroizing<Vec<u8>>, with_face: bool) -> Option<(Frame, Option<FaceBox>)> {
    let mut rest = body.as_slice();
    let (width, height) = (number(&mut rest)?, number(&mut rest)?);
    let face = if with_face { Some(take_face(&mut rest)?) } else { None };
    Some((Frame::new(width, height, rest.to_vec())?, face))
}

/// The body of an answer to a look.
pub(super) fn put_look(look: &Look) -> Vec<u8> {
    let mut body = Vec::with_capacity(LOOK_HEAD + look.faces.len() * FACE_BYTES);
    body.extend(look.frame.0.to_le_bytes());
    body.extend(look.frame.1.to_le_bytes());
    for measure in [look.luma, look.contrast, look.sharpness] {
        body.extend(measure.to_le_bytes());
    }
    look.faces.iter().take(FACES_MAX).for_each(|face| put_face(&mut body, face));
    body
}

/// Reads a look; `None` unless it is about a frame of this size and every number in it is one.
pub(super) fn look_of(body: &[u8], frame: &Frame) -> Option<Look> {
    let mut rest = body;
    let size = (number(&mut rest)?, number(&mut rest)?);
    let mut measure = || real(&mut rest);
    let (luma, contrast, sharpness) = (measure()?, measure()?, measure()?);
    let mut faces = Vec::new();
    while !rest.is_empty() {
        faces.push(take_face(&mut rest)?);
    }
    let fits = size == (frame.width(), frame.height()) && faces.len() <= FACES_MAX;
    fits.then_some(Look { frame: size, faces, luma, contrast, sharpness })
}

/// The body of an answer with a template.
pub(super) fn put_template(numbers: &[f32; TEMPLATE_LEN]) -> Zeroizing<Vec<u8>> {
    let mut body = Zeroizing::new(Vec::with_capacity(TEMPLATE_BYTES));
    numbers.iter().for_each(|n| body.extend(n.to_le_bytes()));
    body
}

/// Reads the numbers of a template.
pub(super) fn template_of(body: &[u8]) -> Option<Zeroizing<[f32; TEMPLATE_LEN]>> {
    let mut rest = body;
    let mut numbers = Zeroizing::new([0f32; TEMPLATE_LEN]);
    for n in numbers.iter_mut() {
        *n = real(&mut rest)?;
    }
    rest.is_empty().then_some(numbers)
}

/// The body of a failure.
pub(super) fn put_error(error: &FaceError) -> Vec<u8> {
    let (code, text) = match error {
        FaceError::ModelMissing { folder } => (1, folder.as_str()),
        FaceError::ModelWrong { file } => (2, file.as_str()),
        FaceError::OutOfRange => (3, ""),
        FaceError::Unsound => (4, ""),
        FaceError::CannotStart(why) => (5, why.as_str()),
        FaceError::Restarted => (6, ""),
        FaceError::NotAlone => (7, ""),
    };
    let text = text.as_bytes();
    [&[code], &text[..text.len().min(ANSWER_MAX - 1)]].concat()
}

/// Reads a failure; `None` when it is none of ours.
pub(super) fn error_of(body: &[u8]) -> Option<FaceError> {
    let (code, text) = body.split_first()?;
    let text = String::from_utf8_lossy(text).into_owned();
    Some(match code {
        1 => FaceError::ModelMissing { folder: text },
        2 => FaceError::ModelWrong { file: text },
        3 => FaceError::OutOfRange,
        4 => FaceError::Unsound,
        5 => FaceError::CannotStart(text),
        7 => FaceError::NotAlone,
        _ => return None,
    })
}

fn put_face(to: &mut Vec<u8>, face: &FaceBox) {
    let landmarks = face.landmarks.iter().flat_map(|(x, y)| [*x, *y]);
    let numbers = [face.x, face.y, face.width, face.height, face.score].into_iter().chain(landmarks);
    numbers.for_each(|n| to.extend(n.to_le_bytes()));
}

fn take_face(rest: &mut &[u8]) -> Option<FaceBox> {
    let mut next = || real(rest);
    let (x, y, width, height, score) = (next()?, next()?, next()?, next()?, next()?);
    let mut landmarks = [(0.0, 0.0); 5];
    for landmark in &mut landmarks {
        *landmark = (next()?, next()?);
    }
    Some(FaceBox { x, y, width, height, score, landmarks })
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (head, tail) = rest.split_first_chunk::<4>()?;
    *rest = tail;
    Some(u32::from_le_bytes(*head))
}

/// A number that is one: neither infinite nor not-a-number.
fn real(rest: &mut &[u8]) -> Option<f32> {
    Some(f32::from_bits(number(rest)?)).filter(|n| n.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(x: f32) -> FaceBox {
        let landmarks = [(1.0, 2.0), (3.0, 4.0), (5.0, 6.0), (7.0, 8.0), (9.0, 10.0)];
        FaceBox { x, y: 1.5, width: 20.0, height: 30.0, score: 0.9, landmarks }
    }

    fn frame() -> Frame {
        Frame::new(2, 2, (0..12).collect()).unwrap()
    }

    fn passed_on(kind: u8, parts: &[&[u8]]) -> (u8, Zeroizing<Vec<u8>>) {
        let mut bytes = Vec::new();
        write(&mut bytes, kind, parts).unwrap();
        read(&mut bytes.as_slice(), REQUEST_MAX).unwrap()
    }

    #[test]
    fn a_request_arrives_as_it_was_sent() {
        let frame = frame();
        let (kind, body) = passed_on(kind::TEMPLATE, &[&frame_head(&frame, Some(&face(3.0))), frame.rgb()]);
        let (got, box_) = frame_of(body, true).unwrap();
        assert_eq!((kind, got.rgb(), box_), (kind::TEMPLATE, frame.rgb(), Some(face(3.0))));
    }

    #[test]
    fn an_answer_arrives_as_it_was_sent() {
        let look = Look { frame: (2, 2), faces: vec![face(1.0), face(2.0)], luma: 1.0, contrast: 2.0, sharpness: 3.0 };
        assert_eq!(look_of(&put_look(&look), &frame()), Some(look));
        let numbers = std::array::from_fn(|k| k as f32);
        assert_eq!(*template_of(&put_template(&numbers)).unwrap(), numbers);
        for error in
            [FaceError::OutOfRange, FaceError::ModelWrong { file: "x".into() }, FaceError::Unsound, FaceError::NotAlone]
        {
            assert_eq!(error_of(&put_error(&error)), Some(error));
        }
    }

    #[test]
    fn a_length_that_is_too_long_is_refused_before_anything_is_reserved() {
        let mut bytes = vec![kind::LOOK];
        bytes.extend(u32::MAX.to_le_bytes());
        assert_eq!(read(&mut bytes.as_slice(), ANSWER_MAX).unwrap_err().kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn a_message_that_is_cut_short_or_out_of_shape_is_refused() {
        let frame = frame();
        let whole = [frame_head(&frame, Some(&face(3.0))), frame.rgb().to_vec()].concat();
        for length in 0..whole.len() {
            assert!(frame_of(Zeroizing::new(whole[..length].to_vec()), true).is_none(), "{length}");
        }
        let look = put_look(&Look { frame: (2, 2), faces: vec![face(1.0)], luma: 1.0, contrast: 2.0, sharpness: 3.0 });
        assert!(look_of(&look[..look.len() - 1], &frame).is_none());
        assert!(look_of(&look, &Frame::new(1, 2, vec![0; 6]).unwrap()).is_none(), "about another frame");
        let odd =
            put_look(&Look { frame: (2, 2), faces: vec![face(f32::NAN)], luma: 1.0, contrast: 2.0, sharpness: 3.0 });
        assert!(look_of(&odd, &frame).is_none());
        assert!(template_of(&[0; 511]).is_none() && template_of(&[0; 513]).is_none());
        assert!(template_of(&[0xff; 512]).is_none());
        assert!(error_of(&[]).is_none() && error_of(&[99]).is_none());
    }
}
