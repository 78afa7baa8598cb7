use proptest::prelude::*;

use super::*;

type Entries = Vec<(Vec<u8>, Vec<u8>)>;

fn pairs(entries: &Entries) -> Vec<(&[u8], &[u8])> {
    entries.iter().map(|(leaf, sealed)| (leaf.as_slice(), sealed.as_slice())).collect()
}

/// A segment of sealed batches, and the offsets at which frames start (the file's end is the last).
fn segment(first_index: u64, batches: &[Entries]) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = encode_header(first_index).to_vec();
    let mut starts = vec![bytes.len()];
    let mut index = first_index;
    for entries in batches {
        bytes.extend(encode_batch(first_index, bytes.len() as u64, index, &pairs(entries)).unwrap());
        starts.push(bytes.len());
        index += entries.len() as u64;
        bytes.extend(encode_seal(first_index, bytes.len() as u64, index, format!("note {index}").as_bytes()).unwrap());
        starts.push(bytes.len());
    }
    (bytes, starts)
}

fn small() -> (Vec<u8>, Vec<usize>) {
    let batch = |n: u8| (0..n).map(|i| (vec![i + 1; 5], vec![0xee; 9 + usize::from(i)])).collect::<Entries>();
    segment(7, &[batch(2), batch(1), batch(3)])
}

fn read(bytes: &[u8], first_index: u64) -> Result<Vec<Frame>, SegmentError> {
    Frames::new(bytes, first_index)?.collect()
}

fn outline(bytes: &[u8], first_index: u64) -> Result<Outline, OutlineError<std::convert::Infallible>> {
    Outline::read(first_index, bytes.len(), |range| Ok(bytes[range].to_vec()))
}

fn entries() -> impl Strategy<Value = Entries> {
    prop::collection::vec((prop::collection::vec(any::<u8>(), 1..40), prop::collection::vec(any::<u8>(), 1..90)), 1..6)
}

proptest! {
    #[test]
    fn what_was_written_is_read(first in 0u64..1 << 40, batches in prop::collection::vec(entries(), 0..5), zeros in 0usize..50) {
        let (mut bytes, starts) = segment(first, &batches);
        let end = bytes.len();
        bytes.extend(vec![0; zeros]);
        let frames = read(&bytes, first).unwrap();
        let mut found: Vec<Entries> = Vec::new();
        let mut index = first;
        for (frame, start) in frames.iter().zip(&starts) {
            match frame {
                Frame::Batch { offset, first_index, items, .. } => {
                    prop_assert_eq!((*offset as usize, *first_index, frame.is_as_staged(&bytes)), (*start, index, true));
                    index += items.len() as u64;
                    found.push(items.iter().map(|i| (bytes[i.leaf.clone()].to_vec(), bytes[i.sealed.clone()].to_vec())).collect());
                }
                Frame::Seal { offset, size, note, .. } => {
                    prop_assert_eq!((*offset as usize, *size), (*start, index));
                    prop_assert_eq!(bytes[note.clone()].to_vec(), format!("note {index}").into_bytes());
                }
                Frame::ZeroTail { offset } => prop_assert_eq!(*offset as usize, end),
            }
        }
        prop_assert_eq!(found, batches.clone());
        prop_assert_eq!(frames.len(), 2 * batches.len() + usize::from(zeros > 0));
    }

    #[test]
    fn the_outline_is_what_reading_all_of_it_finds(
        first in 0u64..1 << 40,
        batches in prop::collection::vec((entries(), 1usize..900, any::<bool>()), 1..6),
        zeros in 0usize..50,
    ) {
        // Some batches are longer than a window, even their tables, and some share a frame with the seal before them.
        let batches: Vec<(Entries, bool)> = batches.into_iter().map(|(few, times, joint)| ((0..times).flat_map(|_| few.clone()).collect(), joint)).collect();
        let mut bytes = encode_header(first).to_vec();
        let (mut index, mut note) = (first, None::<String>);
        for (entries, joint) in &batches {
            let at = bytes.len() as u64;
            match note.take() {
                Some(note) if *joint => bytes.extend(encode_seal_and_batch(first, at, index, note.as_bytes(), &pairs(entries)).unwrap()),
                Some(note) => {
                    bytes.extend(encode_seal(first, at, index, note.as_bytes()).unwrap());
                    bytes.extend(encode_batch(first, bytes.len() as u64, index, &pairs(entries)).unwrap());
                }
                None => bytes.extend(encode_batch(first, at, index, &pairs(entries)).unwrap()),
            }
            index += entries.len() as u64;
            note = Some(format!("note {index}"));
        }
        bytes.extend(encode_seal(first, bytes.len() as u64, index, note.unwrap().as_bytes()).unwrap());
        bytes.extend(vec![0; zeros]);
        let outline = outline(&bytes, first).unwrap();
        let (mut items, mut seals) = (Vec::new(), Vec::new());
        for frame in read(&bytes, first).unwrap() {
            match frame {
                Frame::Batch { items: found, .. } => items.extend(found),
                Frame::Seal { size, note, .. } => seals.push((size, note)),
                Frame::ZeroTail { .. } => {}
            }
        }
        prop_assert_eq!((outline.items, outline.seals), (items, seals));
    }

    #[test]
    fn any_bytes_are_outlined_without_panic(tail in prop::collection::vec(any::<u8>(), 0..300), kind in 1u8..4, len in 0u8..250) {
        let bytes = [encode_header(0).as_slice(), &[kind, 0, 0, 0, 0, 0, 0, len], &[7; CHECKSUM_LEN], &tail].concat();
        if let Ok(outline) = outline(&bytes, 0) {
            prop_assert!(outline.items.iter().all(|item| item.sealed.end <= bytes.len()) && !outline.seals.is_empty());
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(tail in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut bytes = encode_header(0).to_vec();
        bytes.extend(tail);
        let refused = read(&bytes, 0).is_err();
        prop_assert!(refused || bytes[HEADER_LEN..].iter().all(|b| *b == 0));
    }
}

#[test]
fn a_cut_anywhere_is_torn_and_names_the_frame() {
    let (bytes, starts) = small();
    for cut in HEADER_LEN..bytes.len() {
        let read = read(&bytes[..cut], 7);
        match starts.binary_search(&cut) {
            Ok(whole) => assert_eq!(read.unwrap().len(), whole),
            Err(n) => {
                let start = starts[n - 1] as u64;
                assert!(matches!(read, Err(SegmentError::Torn { offset, .. }) if offset == start), "cut at {cut}");
            }
        }
    }
    for cut in 0..HEADER_LEN {
        assert_eq!(read(&bytes[..cut], 7), Err(SegmentError::Header(HeaderFault::Short(cut))));
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    let (bytes, starts) = small();
    let whole = read(&bytes, 7).unwrap();
    let last = starts[starts.len() - 2];
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let at = bit / 8;
        match read(&flipped, 7) {
            Err(SegmentError::Header(_)) => assert!(at < HEADER_LEN),
            Err(SegmentError::Damaged { offset, .. }) => assert!(offset as usize <= at && (HEADER_LEN..last).contains(&at)),
            Err(SegmentError::Torn { offset, .. }) => assert!(offset as usize == last && at >= last),
            Ok(frames) => {
                let is_record = |f: &Frame| matches!(f, Frame::Batch { items, .. } if items.iter().any(|item| item.sealed.contains(&at)));
                assert!(frames == whole && frames.iter().any(is_record), "byte {at}");
            }
        }
    }
}

#[test]
fn a_hole_in_the_last_frame_is_torn() {
    let (bytes, starts) = small();
    let last = starts[starts.len() - 2];
    for hole in last..bytes.len() {
        let mut holed = bytes.clone();
        holed[last..=hole].fill(0);
        let zeros_only = hole + 1 == bytes.len();
        match read(&holed, 7) {
            Ok(frames) => assert!(zeros_only && frames.last() == Some(&Frame::ZeroTail { offset: last as u64 })),
            Err(error) => assert!(matches!(error, SegmentError::Torn { offset, .. } if offset as usize == last), "{error}"),
        }
    }
}

#[test]
fn a_frame_elsewhere_is_not_a_frame() {
    let (bytes, starts) = small();
    let moved = [&bytes[..starts[2]], &bytes[starts[4]..]].concat();
    assert!(matches!(read(&moved, 7), Err(SegmentError::Torn { fault: FrameFault::Checksum, .. })));
    let other = [encode_header(8).as_slice(), &bytes[HEADER_LEN..]].concat();
    assert!(matches!(read(&other, 8), Err(SegmentError::Torn { fault: FrameFault::Checksum, .. })));
    assert_eq!(read(&bytes, 8), Err(SegmentError::Header(HeaderFault::FirstIndex { expected: 8, found: 7 })));
}

#[test]
fn intact_frames_out_of_order_are_damage() {
    let one: Entries = vec![(vec![1], vec![2])];
    let with = |frames: &[&dyn Fn(u64) -> Vec<u8>]| {
        let mut bytes = encode_header(0).to_vec();
        frames.iter().for_each(|frame| bytes.extend(frame(bytes.len() as u64)));
        read(&bytes, 0).unwrap_err()
    };
    let batch = |index: u64| {
        let one = one.clone();
        move |at: u64| encode_batch(0, at, index, &pairs(&one)).unwrap()
    };
    let seal = |size: u64| move |at: u64| encode_seal(0, at, size, b"n").unwrap();
    let fault = |error| match error {
        SegmentError::Damaged { fault, .. } => fault,
        other => panic!("{other}"),
    };
    assert_eq!(fault(with(&[&batch(1)])), FrameFault::Gap { expected: 0, found: 1 });
    assert_eq!(fault(with(&[&batch(0), &batch(1)])), FrameFault::Unsealed);
    assert_eq!(fault(with(&[&seal(0)])), FrameFault::NothingToSeal);
    assert_eq!(fault(with(&[&batch(0), &seal(2)])), FrameFault::SealSize { expected: 1, found: 2 });
    assert_eq!(fault(with(&[&batch(0), &seal(1), &seal(1)])), FrameFault::NothingToSeal);
    let both = |size: u64| {
        let one = one.clone();
        move |at: u64| encode_seal_and_batch(0, at, size, b"n", &pairs(&one)).unwrap()
    };
    assert_eq!(fault(with(&[&both(0)])), FrameFault::NothingToSeal);
    assert_eq!(fault(with(&[&batch(0), &both(2)])), FrameFault::SealSize { expected: 1, found: 2 });
    assert_eq!(fault(with(&[&batch(0), &both(1), &both(1)])), FrameFault::SealSize { expected: 2, found: 1 });
    assert_eq!(fault(with(&[&batch(0), &both(1), &batch(2)])), FrameFault::Unsealed);
}

/// A segment with a batch, a frame that seals it and holds the next batch, and, where wanted, that one's seal. The offsets at which frames start.
fn joint(with_last_seal: bool) -> (Vec<u8>, Vec<usize>) {
    let batch = |n: u8| (0..n).map(|i| (vec![i + 1; 5], vec![0xee; 9 + usize::from(i)])).collect::<Entries>();
    let mut bytes = encode_header(7).to_vec();
    let mut starts = vec![bytes.len()];
    bytes.extend(encode_batch(7, bytes.len() as u64, 7, &pairs(&batch(2))).unwrap());
    starts.push(bytes.len());
    bytes.extend(encode_seal_and_batch(7, bytes.len() as u64, 9, b"note 9", &pairs(&batch(3))).unwrap());
    starts.push(bytes.len());
    if with_last_seal {
        bytes.extend(encode_seal(7, bytes.len() as u64, 12, b"note 12").unwrap());
        starts.push(bytes.len());
    }
    (bytes, starts)
}

#[test]
fn a_seal_and_a_batch_written_together_are_read_one_after_the_other() {
    let (bytes, starts) = joint(true);
    let frames = read(&bytes, 7).unwrap();
    let (offset, end) = (starts[1] as u64, starts[2] as u64);
    assert!(
        matches!(&frames[1], Frame::Seal { offset: o, end: e, size: 9, note } if (*o, *e) == (offset, end) && &bytes[note.clone()] == b"note 9")
    );
    let Frame::Batch { offset: o, end: e, first_index: 9, items, .. } = &frames[2] else { panic!("{frames:?}") };
    assert!(frames[2].is_as_staged(&bytes));
    assert_eq!((*o, *e, items.len()), (offset, end, 3));
    assert!(items.iter().enumerate().all(|(n, i)| bytes[i.leaf.clone()] == vec![n as u8 + 1; 5] && i.sealed.len() == 9 + n));
    assert!(matches!(&frames[3], Frame::Seal { size: 12, .. }));
    assert_eq!(frames.len(), 4);
    assert_eq!(read(&joint(false).0, 7).unwrap().len(), 3);
}

/// Whatever of the write got to the disk short of all: nothing of it counts, not even a seal whose bytes are all there.
#[test]
fn a_seal_and_a_batch_are_whole_together_or_torn_together() {
    let (bytes, starts) = joint(false);
    let at = starts[1];
    for cut in at..bytes.len() {
        let mut hole_behind = bytes.clone();
        hole_behind[cut..].fill(0);
        let mut hole_before = bytes.clone();
        hole_before[at..=cut].fill(0);
        for (torn, what) in [(bytes[..cut].to_vec(), "short"), (hole_behind, "hole behind"), (hole_before, "hole before")] {
            let found = Frames::new(&torn, 7).unwrap().collect::<Vec<_>>();
            let torn_here = matches!(found.last(), Some(Err(SegmentError::Torn { offset, .. })) if *offset == at as u64);
            let nothing = torn[at..].iter().all(|byte| *byte == 0);
            assert!(
                torn_here != nothing && found.iter().filter(|f| matches!(f, Ok(Frame::Seal { .. }))).count() == 0,
                "{what} at {cut}: {found:?}"
            );
        }
    }
    // With a frame behind it, it was durable: then its records changed, and that is for their leaves to say.
    let (mut sealed, starts) = joint(true);
    sealed[starts[2] - 1] ^= 1;
    assert!(read(&sealed, 7) == read(&joint(true).0, 7) && !read(&sealed, 7).unwrap()[2].is_as_staged(&sealed));
    let mut lengths = joint(true).0;
    lengths[starts[1] + FRAME_HEADER_LEN + 11] ^= 1;
    assert!(matches!(read(&lengths, 7), Err(SegmentError::Damaged { offset, .. }) if offset == starts[1] as u64));
}

/// Written anew, a segment is the one that would have been written with the other record from the start.
#[test]
fn a_segment_anew_differs_in_one_record() {
    for (bytes, _) in [small(), joint(true), joint(false)] {
        let whole = read(&bytes, 7).unwrap();
        let records = |bytes: &[u8]| -> Vec<(Vec<u8>, Vec<u8>)> {
            let frames = read(bytes, 7).unwrap();
            let items = frames.into_iter().filter_map(|f| if let Frame::Batch { items, .. } = f { Some(items) } else { None }).flatten();
            items.map(|item| (bytes[item.leaf].to_vec(), bytes[item.sealed].to_vec())).collect()
        };
        let before = records(&bytes);
        for (n, other) in (0..before.len()).flat_map(|n| [vec![9; 1], vec![8; 400], before[n].1.clone()].map(|other| (n, other))) {
            let anew = rewrite(&[bytes.clone(), vec![0; 50]].concat(), 7, 7 + n as u64, &other).unwrap();
            let mut expected = before.clone();
            expected[n].1 = other.clone();
            assert_eq!(records(&anew), expected);
            let notes = |bytes: &[u8]| {
                let note = |f| if let Frame::Seal { size, note, .. } = f { Some((size, bytes[note].to_vec())) } else { None };
                read(bytes, 7).unwrap().into_iter().filter_map(note).collect::<Vec<_>>()
            };
            assert_eq!((notes(&anew), read(&anew, 7).unwrap().len()), (notes(&bytes), whole.len()));
            assert!(other != before[n].1 || anew == bytes);
        }
        assert_eq!(rewrite(&bytes, 7, 7, &[]), Err(RewriteError::Encode(EncodeError::Sealed { index: 7, len: 0 })));
        assert!(matches!(rewrite(&bytes[..bytes.len() - 1], 7, 7, &[1]), Err(RewriteError::Read(_))));
    }
}

#[test]
fn limits_hold() {
    let (leaf, sealed) = (vec![1; LEAF_BYTES_MAX], vec![2; SEALED_BYTES_MAX]);
    let encode = |leaf: &[u8], sealed: &[u8]| encode_batch(0, 32, 0, &[(leaf, sealed)]);
    assert!(encode(&leaf, &sealed).is_ok());
    assert_eq!(encode(&[], &sealed), Err(EncodeError::Leaf { index: 0, len: 0 }));
    assert_eq!(encode(&leaf, &[]), Err(EncodeError::Sealed { index: 0, len: 0 }));
    assert_eq!(encode(&[leaf.clone(), vec![1]].concat(), &sealed), Err(EncodeError::Leaf { index: 0, len: 1025 }));
    assert_eq!(encode(&leaf, &[sealed.clone(), vec![1]].concat()), Err(EncodeError::Sealed { index: 0, len: 65_536 }));
    assert_eq!(encode_batch(0, 32, 0, &[]), Err(EncodeError::Count(0)));
    let many = vec![(leaf.as_slice(), &sealed[..1]); BATCH_COUNT_MAX + 1];
    assert_eq!(encode_batch(0, 32, 0, &many), Err(EncodeError::Count(BATCH_COUNT_MAX + 1)));
    assert!(matches!(encode_batch(0, 32, 0, &many[1..]), Err(EncodeError::Batch(_))));
    assert_eq!(encode_batch(0, 32, u64::MAX, &many[..2]), Err(EncodeError::Overflow));
    assert!(encode_batch(0, 32, u64::MAX - 2, &many[..2]).is_ok());
    assert_eq!(encode_seal(0, 32, 1, &[]), Err(EncodeError::Note(0)));
    assert_eq!(encode_seal(0, 32, 1, &vec![0; NOTE_BYTES_MAX + 1]), Err(EncodeError::Note(NOTE_BYTES_MAX + 1)));
}

#[test]
fn file_names_have_one_form() {
    assert_eq!(file_name(255), "00000000000000ff.seg");
    assert_eq!(parse_file_name("00000000000000ff.seg"), Some(255));
    for other in ["00000000000000FF.seg", "ff.seg", "00000000000000ff", "+0000000000000ff.seg", "00000000000000ff.seg.tmp"] {
        assert_eq!(parse_file_name(other), None, "{other}");
    }
}

#[test]
fn a_file_made_to_cost_much_is_damaged_soon() {
    let mut bytes = encode_header(0).to_vec();
    while bytes.len() < 2 << 20 {
        bytes.extend([KIND_SEAL, 0, 0, 0, 0, 1, 0, 0]);
    }
    assert!(matches!(read(&bytes, 0), Err(SegmentError::Damaged { offset: 32, .. })));
}

#[test]
fn an_outline_ends_with_a_seal_and_inside_the_file() {
    let (bytes, starts) = small();
    assert_eq!(outline(&bytes, 7).unwrap().items.len(), 6);
    for cut in HEADER_LEN..bytes.len() {
        let whole = starts.iter().position(|start| *start == cut).is_some_and(|frames| frames > 0 && frames % 2 == 0);
        assert_eq!(outline(&bytes[..cut], 7).is_ok(), whole, "cut at {cut}");
    }
    assert!(matches!(outline(&bytes, 8), Err(OutlineError::Header(HeaderFault::FirstIndex { .. }))));
    let mut unsealed = bytes.clone();
    unsealed.extend(encode_batch(7, bytes.len() as u64, 13, &[(b"leaf", b"sealed")]).unwrap());
    assert!(matches!(outline(&unsealed, 7), Err(OutlineError::Damaged { fault: FrameFault::Unsealed, .. })));
}
