use super::{greys, jpeg, load_with, packed, png, put};
use crate::data::Format;

#[test]
fn packed_splits_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    packed(folder.path(), "train", &["0.1", "-0.2", "0"]);
    packed(folder.path(), "val", &["0.3"]);
    let train = load_with(folder.path(), |o| o.split = Some("train".into())).unwrap();
    assert_eq!((train.format, train.label.as_str()), (Format::Packed, "steering_smooth"));
    assert_eq!(train.frames.labels, [0.1, -0.2, 0.0]);
    assert_eq!(greys(&train), [50, 60, 70]);
    let all = load_with(folder.path(), |_| ()).unwrap();
    assert_eq!(all.frames.labels, [0.1, -0.2, 0.0, 0.3]);
}

#[test]
fn side_cameras_are_corrected_and_clamped() {
    let folder = tempfile::tempdir().unwrap();
    packed(folder.path(), "train", &["0.5", "0.99"]);
    let loaded = load_with(folder.path(), |o| o.side_correction = Some(0.25)).unwrap();
    assert_eq!(loaded.frames.labels, [0.5, 0.75, 0.25, 0.99, 1.0, 0.74]);
    assert_eq!(greys(&loaded), [50, 51, 52, 60, 61, 62]);
}

#[test]
fn label_column_scale_and_straight_frames_are_chosen() {
    let folder = tempfile::tempdir().unwrap();
    packed(folder.path(), "train", &["0", "0.2", "0", "0.005", "0.3"]);
    let raw = load_with(folder.path(), |o| o.label = Some("steering".into())).unwrap();
    assert_eq!(raw.frames.labels, [0.5; 5]);
    let scaled = load_with(folder.path(), |o| o.label_scale = -2.0).unwrap();
    assert_eq!(scaled.frames.labels, [0.0, -0.4, 0.0, -0.01, -0.6]);
    let curves = load_with(folder.path(), |o| o.drop_straight = 1.0).unwrap();
    assert_eq!(curves.frames.labels, [0.2, 0.3]);
    assert_eq!(greys(&curves), [60, 90]);
}

#[test]
fn udacity_logs_are_read_with_and_without_header_and_with_foreign_paths() {
    let rows = "C:\\Users\\x y\\IMG\\c0.jpg, C:\\IMG\\l0.jpg, C:\\IMG\\r0.jpg, -0.25, 1, 0, 30.2\r\n\
                /home/me/IMG/c1.jpg,/home/me/IMG/l1.jpg,/home/me/IMG/r1.jpg,0.5,1,0,30.2\n\
                IMG/c2.jpg,IMG/l2.jpg,IMG/r2.jpg,1E-3,1,0,30.2\n";
    for header in ["", "center,left,right,steering,throttle,brake,speed\n"] {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "driving_log.csv", format!("{header}{rows}"));
        for (index, camera) in (0..3).flat_map(|index| ["c", "l", "r"].map(|camera| (index, camera))) {
            let grey = 60 + 10 * index + camera.as_bytes()[0] % 4;
            put(folder.path(), &format!("IMG/{camera}{index}.jpg"), jpeg(8, 8, grey));
        }
        let loaded = load_with(folder.path(), |_| ()).unwrap();
        assert_eq!((loaded.format, loaded.label.as_str()), (Format::Udacity, "steering"));
        assert_eq!(loaded.frames.labels, [-0.25, 0.5, 0.001]);
        assert_eq!(greys(&loaded), [63, 73, 83]);
        let sides = load_with(folder.path(), |o| o.side_correction = Some(0.5)).unwrap();
        assert_eq!(sides.frames.labels[..3], [-0.25, 0.25, -0.75]);
        assert_eq!(greys(&sides)[..3], [63, 60, 62]);
    }
}

#[test]
fn tubs_of_version_1_are_in_order_of_their_numbers() {
    let folder = tempfile::tempdir().unwrap();
    for (number, grey) in [(2, 80), (10, 90), (1, 70)] {
        let image = format!("{number}_cam-image_array_.jpg");
        put(folder.path(), &image, jpeg(8, 8, grey));
        let record = format!(
            r#"{{"cam/image_array":"{image}","user/angle":0.{number},"user/throttle":0.3,"user/mode":"user"}}"#
        );
        put(folder.path(), &format!("record_{number}.json"), record);
    }
    put(folder.path(), "meta.json", "{}");
    let loaded = load_with(folder.path(), |_| ()).unwrap();
    assert_eq!((loaded.format, loaded.label.as_str()), (Format::TubV1, "user/angle"));
    assert_eq!(loaded.frames.labels, [0.1, 0.2, 0.1]);
    assert_eq!(greys(&loaded), [70, 80, 90]);
    let throttle = load_with(folder.path(), |o| o.label = Some("user/throttle".into())).unwrap();
    assert_eq!(throttle.frames.labels, [0.3; 3]);
}

#[test]
fn tubs_of_version_2_follow_their_catalogs_and_leave_deleted_records_out() {
    let folder = tempfile::tempdir().unwrap();
    let record = |index: usize, angle: f32| {
        put(folder.path(), &format!("images/{index}_cam_image_array_.jpg"), jpeg(8, 8, 40 + 10 * index as u8));
        format!(r#"{{"_index":{index},"cam/image_array":"{index}_cam_image_array_.jpg","user/angle":{angle}}}"#) + "\n"
    };
    put(folder.path(), "catalog_0.catalog", record(0, 0.1) + &record(1, 0.2) + &record(2, -0.3));
    put(folder.path(), "catalog_1.catalog", record(3, -1.0));
    let manifest = "[\"cam/image_array\",\"user/angle\"]\n[\"image_array\",\"float\"]\n{}\n{\"created_at\":1.5}\n\
                    {\"paths\":[\"catalog_0.catalog\",\"catalog_1.catalog\"],\"current_index\":4,\"deleted_indexes\":[1]}\n";
    put(folder.path(), "manifest.json", manifest);
    let loaded = load_with(folder.path(), |_| ()).unwrap();
    assert_eq!((loaded.format, loaded.label.as_str()), (Format::TubV2, "user/angle"));
    assert_eq!(loaded.frames.labels, [0.1, -0.3, -1.0]);
    assert_eq!(greys(&loaded), [40, 60, 70]);
}

#[test]
fn plain_frames_are_read_with_header_without_and_by_split() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "a/one.png", png(4, 6, png::ColorType::Grayscale, &[9; 24]));
    put(folder.path(), "two.jpg", jpeg(30, 40, 99));
    put(folder.path(), "frames.csv", "a/one.png,0.5\ntwo.jpg,-0.5\n");
    let loaded = load_with(folder.path(), |_| ()).unwrap();
    assert_eq!((loaded.format, loaded.label.as_str()), (Format::Plain, "angle"));
    assert_eq!((loaded.frames.labels.as_slice(), greys(&loaded)), (&[0.5, -0.5][..], vec![9, 99]));
    put(folder.path(), "frames.csv", "\u{feff}angle,path\n0.25,two.jpg\n");
    assert_eq!(load_with(folder.path(), |_| ()).unwrap().frames.labels, [0.25]);
    put(folder.path(), "test.csv", "path,angle\na/one.png,0.125\n");
    assert_eq!(load_with(folder.path(), |o| o.split = Some("test".into())).unwrap().frames.labels, [0.125]);
}

#[test]
fn windows_are_cut_before_resizing() {
    let folder = tempfile::tempdir().unwrap();
    let samples: Vec<u8> = (0..8).flat_map(|row| [row * 10; 6]).collect();
    put(folder.path(), "x.png", png(8, 6, png::ColorType::Grayscale, &samples));
    put(folder.path(), "frames.csv", "x.png,0\n");
    let loaded = load_with(folder.path(), |o| o.window = Some("4..7".parse().unwrap())).unwrap();
    let rows: Vec<u8> = loaded.frames.frame(0).chunks(18).map(|row| row[0]).collect();
    assert_eq!(rows, [40, 50, 60, 70]);
}

#[test]
fn derived_splits_are_blocks_with_gaps() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..200).map(|index| format!("x.png,{}\n", f64::from(index) / 1000.0)).collect();
    put(folder.path(), "x.png", png(1, 1, png::ColorType::Grayscale, &[1]));
    put(folder.path(), "frames.csv", rows);
    let part = |name: &str| -> Vec<i32> {
        let loaded = load_with(folder.path(), |o| o.split = Some(name.into())).unwrap();
        loaded.frames.labels.iter().map(|label| (label * 1000.0).round() as i32).collect()
    };
    assert_eq!(part("val"), (80..100).chain(180..200).collect::<Vec<_>>());
    assert_eq!(part("train"), (0..76).chain(104..176).collect::<Vec<_>>());
}
