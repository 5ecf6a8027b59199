//! `ackermann-logs ELF`: reads a board's raw defmt stream from standard input and prints one line per message.
//!
//! A program of its own, because the decoder is heavy to compile and only those who run boards need it.

use std::io::{Read, Write};
use std::process::ExitCode;

use defmt_decoder::{DecodeError, Table};

fn main() -> ExitCode {
    match decode() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("ackermann-logs: {message}");
            ExitCode::FAILURE
        }
    }
}

fn decode() -> Result<(), String> {
    let path = std::env::args_os().nth(1).ok_or("say which ELF file the board runs: ackermann-logs ELF")?;
    let place = path.to_string_lossy().into_owned();
    let elf = std::fs::read(&path).map_err(|error| format!("{place}: cannot be read: {error}"))?;
    let table = Table::parse(&elf)
        .map_err(|error| format!("{place}: {error}"))?
        .ok_or_else(|| format!("{place}: holds no defmt section"))?;
    let mut decoder = table.new_stream_decoder();
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut chunk = [0; 4096];
    loop {
        let length = input.read(&mut chunk).map_err(|error| format!("standard input: {error}"))?;
        if length == 0 {
            return Ok(());
        }
        decoder.received(chunk.get(..length).unwrap_or(&[]));
        loop {
            match decoder.decode() {
                Ok(frame) => {
                    let level = frame.level().map_or("", |level| level.as_str());
                    let line = writeln!(output, "{level:5} {}", frame.display_message());
                    line.and_then(|()| output.flush()).map_err(|error| format!("standard output: {error}"))?;
                }
                Err(DecodeError::UnexpectedEof) => break,
                // The stream's encoding finds its own way back.
                Err(DecodeError::Malformed) if table.encoding().can_recover() => {}
                Err(DecodeError::Malformed) => return Err("the log is not of this ELF file".into()),
            }
        }
    }
}
