//! Cuts a stream into messages: four bytes of length (big endian), then that many bytes of CBOR. Nothing is reserved
//! for a length that was only claimed.

use std::io::{ErrorKind, Read, Write};

use minicbor::{Decode, Decoder, Encode};

/// Bytes that are reserved before the first byte of a body has come.
const RESERVED: usize = 8 * 1024;

/// Why a frame could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The other side closed the stream between two frames.
    #[error("the stream was closed")]
    Closed,
    /// The stream failed, ran out of time or ended inside a frame.
    #[error("the stream failed: {0}")]
    Io(#[from] std::io::Error),
    /// The body is longer than allowed.
    #[error("a frame of {0} bytes is too long")]
    TooLong(usize),
    /// The body is not a message of this protocol.
    #[error("the frame is not a message of this protocol")]
    Malformed,
}

/// Reads one body of at most `max` bytes.
///
/// # Errors
/// [`FrameError::Closed`] only when the stream ended before the first byte of a length.
pub fn read_body(from: &mut impl Read, max: usize) -> Result<Vec<u8>, FrameError> {
    let mut length = [0u8; 4];
    let mut filled = 0;
    while filled < length.len() {
        match from.read(&mut length[filled..]) {
            Ok(0) if filled == 0 => return Err(FrameError::Closed),
            Ok(0) => return Err(std::io::Error::from(ErrorKind::UnexpectedEof).into()),
            Ok(n) => filled += n,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e.into()),
        }
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > max {
        return Err(FrameError::TooLong(length));
    }
    let mut body = Vec::with_capacity(length.min(RESERVED));
    from.take(length as u64).read_to_end(&mut body)?;
    if body.len() != length {
        return Err(std::io::Error::from(ErrorKind::UnexpectedEof).into());
    }
    Ok(body)
}

/// Writes one body of at most `max` bytes and flushes.
///
/// # Errors
/// [`FrameError::TooLong`] before anything was written, or the stream's failure.
pub fn write_body(to: &mut impl Write, body: &[u8], max: usize) -> Result<(), FrameError> {
    let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= max);
    let Some(length) = length else { return Err(FrameError::TooLong(body.len())) };
    let mut frame = Vec::with_capacity(4 + body.len());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(body);
    to.write_all(&frame)?;
    to.flush()?;
    Ok(())
}

/// The bytes of a message.
pub fn encode<T: Encode<()>>(message: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to a `Vec` cannot fail; an empty body would be refused as malformed by the other side.
    if minicbor::encode(message, &mut bytes).is_err() {
        bytes.clear();
    }
    bytes
}

/// Reads a message; bytes left over after it make it malformed.
///
/// # Errors
/// [`FrameError::Malformed`].
pub fn decode<T: for<'b> Decode<'b, ()>>(body: &[u8]) -> Result<T, FrameError> {
    let mut decoder = Decoder::new(body);
    let message = decoder.decode::<T>().map_err(|_| FrameError::Malformed)?;
    if decoder.position() == body.len() { Ok(message) } else { Err(FrameError::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::{FRAME_MAX, Request};

    #[test]
    fn a_message_goes_there_and_back() {
        let mut stream = Vec::new();
        write_body(&mut stream, &encode(&Request::TestCard(vec![1, 2, 3, 4])), FRAME_MAX).unwrap();
        write_body(&mut stream, &encode(&Request::List), FRAME_MAX).unwrap();
        let mut from = stream.as_slice();
        let first: Request = decode(&read_body(&mut from, FRAME_MAX).unwrap()).unwrap();
        let second: Request = decode(&read_body(&mut from, FRAME_MAX).unwrap()).unwrap();
        assert_eq!((first, second), (Request::TestCard(vec![1, 2, 3, 4]), Request::List));
        assert!(matches!(read_body(&mut from, FRAME_MAX), Err(FrameError::Closed)));
    }

    #[test]
    fn a_claimed_length_reserves_nothing() {
        let mut from: &[u8] = &[0xff, 0xff, 0xff, 0xff];
        assert!(matches!(read_body(&mut from, FRAME_MAX), Err(FrameError::TooLong(0xffff_ffff))));
        let mut cut: &[u8] = &[0, 3, 0xff, 0xff, 1, 2];
        assert!(matches!(read_body(&mut cut, FRAME_MAX), Err(FrameError::Io(_))));
        let mut half: &[u8] = &[0, 0];
        assert!(matches!(read_body(&mut half, FRAME_MAX), Err(FrameError::Io(_))));
        assert!(matches!(write_body(&mut Vec::new(), &[0; 11], 10), Err(FrameError::TooLong(11))));
    }

    #[test]
    fn bytes_after_a_message_make_it_malformed() {
        let mut body = encode(&Request::Health);
        body.push(0);
        assert!(matches!(decode::<Request>(&body), Err(FrameError::Malformed)));
        assert!(matches!(decode::<Request>(&[]), Err(FrameError::Malformed)));
    }
}
