//! The link: bytes that arrive in any pieces are whole messages or named errors; what is written is read back.

use ackermann_firmware::link::{Answer, Inbox, Packet, Request, Transport, encode, max_encoded};

/// Bytes that arrive in pieces.
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

/// The bytes as a stream, and the same bytes as the body of a sealed message, whose first byte is the kind.
pub fn any(bytes: &[u8]) {
    let whole = receive(bytes, 512, 1 << 12);
    assert_eq!(receive(bytes, 1, 1 << 12), whole, "the size of the pieces matters");
    receive(bytes, 3, 20);
    let Some((&kind, body)) = bytes.split_first() else { return };
    let mut wire = vec![0; max_encoded(body.len())];
    let length = encode(kind, 7, &[body], &mut wire).expect("room as asked for");
    let received = receive(&wire[..length], 512, body.len() + 9);
    assert_eq!(received, [Some((kind, 7, body.to_vec()))], "a message does not cross");
}

/// Kind, sequence number and body; `None` for what did not arrive whole.
type Message = Option<(u8, u32, Vec<u8>)>;

fn receive(bytes: &[u8], piece: usize, capacity: usize) -> Vec<Message> {
    let mut buffer = vec![0; capacity];
    let mut inbox = Inbox::new(&mut buffer);
    let mut wire = Wire { bytes, piece };
    let mut messages = Vec::new();
    while let Some(message) = inbox.poll(&mut wire) {
        let message = message.ok();
        message.iter().for_each(read);
        messages.push(message.map(|packet| (packet.kind, packet.sequence, packet.body.to_vec())));
    }
    messages
}

/// A request that can be read is written as it was.
fn read(packet: &Packet<'_>) {
    if let Ok(request) = Request::read(packet.kind, packet.body) {
        let (head, bulk) = request.parts();
        assert_eq!((request.kind(), [&head, bulk].concat()), (packet.kind, packet.body.to_vec()));
    }
    if let Some(answer) = Answer::read(packet.kind, packet.body) {
        assert_eq!(Answer::read(packet.kind, packet.body), Some(answer));
    }
}
