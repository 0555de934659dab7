//! The recorder as the engine sees it.

use std::task::{Context, Poll, Waker};

use super::*;

fn second(first_sample: u64) -> Second {
    Second { rate: 8_000, first_sample, received: vec![1_000; 8_000], sent: vec![2_000; 8_000] }
}

fn recorder(folder: &Path) -> Recorder {
    let settings = settings::Recording { folder: Some(folder.to_owned()), ..settings::Recording::default() };
    Recorder::start(settings).expect("a thread")
}

#[test]
fn a_recording_is_one_file_even_where_it_was_stopped_in_between() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut recorder = recorder(folder.path());
    let (source, call, began) = ((0, StreamId(1)), CallId(9), Timestamp(1_795_262_400_000_000));
    let path = recorder.begin(source, call, began, None);
    recorder.take(source, second(0), false);
    recorder.take(source, second(8_000), true);
    let again = recorder.begin(source, call, Timestamp(began.0 + 5_000_000), Some((&path, began)));
    recorder.take(source, second(0), true);
    drop(recorder);
    assert_eq!(again, path);
    assert_eq!(hound::WavReader::open(&path).expect("a WAV file").duration(), 6 * 8_000);
}

#[test]
fn a_folder_that_can_not_be_is_a_fault_of_the_recording() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, b"in the way").expect("writes");
    let mut recorder = recorder(&file.join("recordings"));
    let source = (0, StreamId(1));
    recorder.begin(source, CallId(9), Timestamp(0), None);
    recorder.take(source, second(0), true);
    let fault = recorder.faults.blocking_recv().expect("a fault");
    assert!(fault.call == CallId(9) && fault.source == source && fault.why.contains("recordings"), "{}", fault.why);
    assert!(matches!(recorder.poll_fault(&mut Context::from_waker(Waker::noop())), Poll::Pending));
}
