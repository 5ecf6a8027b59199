use super::*;

#[test]
fn the_same_data_is_read_as_it_was_in_training() {
    let trained = Recording {
        stream: true,
        augment: false,
        mirror: true,
        label: Some("yaw".into()),
        side_correction: Some(0.1),
        drop_straight: 0.5,
        ..Recording::of(Path::new("d"))
    };
    let same = Recording::of(Path::new("d")).like(Some(&trained));
    assert_eq!(same, trained.clone().whole());
    assert!(same.stream, "what is measured may be as large as what is trained on");
    let other = Recording::of(Path::new("e")).like(Some(&trained));
    assert_eq!(other, Recording { label: Some("yaw".into()), ..Recording::of(Path::new("e")) });
    assert_eq!(Recording::of(Path::new("e")).like(None), Recording::of(Path::new("e")));
}
