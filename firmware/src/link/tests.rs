use super::*;
use crate::control::Phase;
use crate::servo::Degrees;

/// Bytes that arrive in pieces of a given size.
struct Wire<'a> {
    bytes: &'a [u8],
    piece: usize,
}

impl Transport for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> usize {
        let length = self.piece.min(self.bytes.len()).min(buffer.len());
        let (now, later) = self.bytes.split_at(length);
        buffer[..length].copy_from_slice(now);
        self.bytes = later;
        length
    }

    fn write(&mut self, _: &[u8]) -> usize {
        0
    }
}

fn sealed(kind: u8, sequence: u32, body: &[u8]) -> Vec<u8> {
    let mut wire = vec![0; max_encoded(body.len())];
    let length = encode(kind, sequence, &[body], &mut wire).unwrap();
    wire.truncate(length);
    wire
}

/// Kind, sequence number and body, or the error.
type Outcome = Result<(u8, u32, Vec<u8>), LinkError>;

/// What an inbox of `capacity` bytes makes of `bytes`.
fn received(bytes: &[u8], piece: usize, capacity: usize) -> Vec<Outcome> {
    let mut buffer = vec![0; capacity];
    let mut inbox = Inbox::new(&mut buffer);
    let mut wire = Wire { bytes, piece };
    let mut messages = Vec::new();
    while let Some(message) = inbox.poll(&mut wire) {
        messages.push(message.map(|packet| (packet.kind, packet.sequence, packet.body.to_vec())));
    }
    messages
}

#[test]
fn messages_of_every_length_cross_in_pieces_of_every_size() {
    for length in [0, 1, 2, 244, 245, 246, 247, 253, 254, 255, 256, 500, 508, 509, 510, 1000, 5000] {
        let plain: Vec<u8> = (0..length).map(|i| (i * 7 % 255) as u8 + 1).collect();
        let zeros = vec![0; length];
        for body in [plain, zeros] {
            let mut wire = sealed(3, 0xdead_beef, &body);
            wire.extend(sealed(9, 0, b"next"));
            for piece in [1, 3, 511, 512, 10_000] {
                let expected = vec![Ok((3, 0xdead_beef, body.clone())), Ok((9, 0, b"next".to_vec()))];
                assert_eq!(received(&wire, piece, 6000), expected, "{length} bytes in pieces of {piece}");
            }
        }
    }
}

#[test]
fn no_damaged_byte_goes_unnoticed_and_the_next_message_arrives() {
    let good = sealed(3, 77, &[1, 0, 2, 0, 0, 255, 3]);
    let next = sealed(4, 78, b"next");
    for at in 1..good.len() - 1 {
        for value in 0..=255 {
            let mut wire = good.clone();
            if wire[at] == value {
                continue;
            }
            wire[at] = value;
            wire.extend(&next);
            let messages = received(&wire, 512, 64);
            let (last, before) = messages.split_last().unwrap();
            assert_eq!(*last, Ok((4, 78, b"next".to_vec())), "byte {at} = {value}");
            assert!(!before.is_empty() && before.iter().all(Result::is_err), "byte {at} = {value}: {before:?}");
        }
    }
}

#[test]
fn a_cut_message_is_noticed_wherever_it_was_cut() {
    let good = sealed(3, 77, &(0..=255).cycle().take(700).collect::<Vec<u8>>());
    let next = sealed(4, 78, b"next");
    for cut in 2..good.len() - 1 {
        let wire: Vec<u8> = good[..cut].iter().chain(&next).copied().collect();
        let messages = received(&wire, 100, 1000);
        assert_eq!(messages.len(), 2, "cut at {cut}");
        assert!(matches!(messages[0], Err(LinkError::Truncated | LinkError::Corrupt)), "cut at {cut}");
        assert_eq!(messages[1], Ok((4, 78, b"next".to_vec())));
    }
}

#[test]
fn a_message_that_is_too_long_is_passed_over() {
    let mut wire = sealed(3, 1, &[5; 3000]);
    wire.extend(sealed(4, 2, b"next"));
    assert_eq!(received(&wire, 512, 100), vec![Err(LinkError::TooLong), Ok((4, 2, b"next".to_vec()))]);
}

#[test]
fn noise_never_stops_the_inbox() {
    let mut state = 1u32;
    let mut noise: Vec<u8> = Vec::new();
    for _ in 0..20_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise.push((state >> 24) as u8);
    }
    noise.extend(sealed(4, 2, b"next"));
    assert_eq!(received(&noise, 512, 100).last(), Some(&Ok((4, 2, b"next".to_vec()))));
}

#[test]
fn a_kept_message_is_given_once_more() {
    let wire = sealed(3, 1, b"body");
    let mut buffer = [0; 64];
    let mut inbox = Inbox::new(&mut buffer);
    let mut wire = Wire { bytes: &wire, piece: 512 };
    assert_eq!(inbox.poll(&mut wire).unwrap().unwrap().body, b"body");
    inbox.keep();
    assert_eq!(inbox.poll(&mut wire).unwrap().unwrap().body, b"body");
    assert!(inbox.poll(&mut wire).is_none());
}

#[test]
fn requests_are_read_as_they_were_written() {
    let rgb = [9; 2 * 3 * 3];
    for request in [
        Request::Hello,
        Request::Tick { time_us: u64::MAX - 5 },
        Request::Frame { time_us: 1 << 40, height: 2, width: 3, rgb: &rgb },
        Request::Info,
        Request::Bench,
        Request::Load { total: 70_000, offset: 65_536, bytes: &rgb },
        Request::Run { reset: true, offset: 65_537, bytes: &rgb },
        Request::Output { offset: 1024 },
    ] {
        let (head, bulk) = request.parts();
        let body: Vec<u8> = head.iter().chain(bulk).copied().collect();
        assert_eq!(Request::read(request.kind(), &body), Ok(request));
        for cut in 0..head.len() {
            assert_eq!(Request::read(request.kind(), &body[..cut]), Err(Status::BadBody), "{request:?} cut at {cut}");
        }
    }
    assert_eq!(Request::read(0, &[]), Err(Status::UnknownKind));
    assert_eq!(Request::read(1, &[0]), Err(Status::BadBody));
    assert_eq!(Request::read(7, &[2, 0, 0, 0, 0]), Err(Status::BadBody));
    // 65535 x 65535 pixels overflow 32 bits; there is no such body.
    let huge: Vec<u8> = [[0; 8].as_slice(), &[0xff; 4]].concat();
    assert_eq!(Request::read(3, &huge), Err(Status::BadBody));
}

#[test]
fn answers_are_read_as_they_were_written() {
    let steering = Degrees::from_num(-12.25);
    let outputs = heapless::Vec::from_slice(&[1, 128, 255]).unwrap();
    let operators = (0..MAX_OPERATORS as u32).collect();
    let hello = Hello {
        version: 1,
        status: Status::BlobRefused,
        max_body: 70_000,
        slot_bytes: 5,
        input: [66, 200, 3],
        board: "board",
        model: "Größe",
    };
    let pong = Pong {
        time_us: 1 << 50,
        phase: Phase::Holding,
        cause: Status::Silence,
        steering,
        servo_duty: 4500,
        throttle_duty: 1,
        safe_entries: 2,
    };
    let reply = Reply {
        status: Status::Ok,
        phase: Phase::Driving,
        steering,
        servo_duty: 1,
        throttle_duty: 2,
        ticks: 3,
        outputs,
    };
    let info =
        Info { arena_bytes: 1, arena_room: 2, stack_bytes: 3, init_ticks: 4, tick_picos: 5, frames: 6, dropped: 7 };
    for answer in [
        Answer::Hello(hello),
        Answer::Pong(pong),
        Answer::Reply(reply),
        Answer::Info(info),
        Answer::Bench(Bench { status: Status::Ok, total: 9, operators }),
        Answer::Loaded(Loaded { status: Status::BlobRefused, stored: 8, reason: "BadChecksum" }),
        Answer::Ran(Ran { status: Status::InputIncomplete, ticks: 7 }),
        Answer::Output(Output { status: Status::Ok, total: 1 << 20, bytes: &[3; OUTPUT_PIECE] }),
        Answer::Error(Status::Corrupt),
    ] {
        let mut body = heapless::Vec::<u8, MAX_BODY>::new();
        answer.write(&mut body).unwrap();
        assert_eq!(Answer::read(answer.kind(), &body), Some(answer));
    }
    assert_eq!(Answer::read(0x81, &[1]), None);
    assert_eq!(Answer::read(0xff, &[200]), None);
}

#[test]
fn status_codes_are_those_of_the_document() {
    let document = include_str!("../../../docs/link.md");
    for code in 0..=u8::MAX {
        let Some(status) = Status::from_code(code) else { continue };
        assert_eq!(status.code(), code);
        assert!(document.contains(&format!("| {code} | {status:?} |")), "{code} {status:?}");
        assert!(!status.describe().is_empty());
    }
}
