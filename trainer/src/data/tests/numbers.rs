use ndarray::{ArrayD, array};

use crate::ErrorKind;
use crate::data::metrics::{accuracy, argmax, baseline, regression};
use crate::data::npy::{self, Array};

#[test]
fn metrics_of_known_numbers() {
    let m = regression(&[1.0, 2.0, 5.0], &[1.0, 2.0, 3.0]).unwrap();
    assert_eq!(m.n, 3);
    assert!((m.mae - 2.0 / 3.0).abs() < 1e-12);
    assert!((m.rmse - (4.0f64 / 3.0).sqrt()).abs() < 1e-12);
    assert!((m.r2.unwrap() - (1.0 - 4.0 / 2.0)).abs() < 1e-12);
    assert_eq!(regression(&[0.5, 0.1], &[0.1, 0.1]).unwrap().r2, None);
    assert_eq!(accuracy(&[1, 2, 3, 3], &[1, 2, 0, 3]).unwrap(), 0.75);
    assert_eq!((argmax(&[1, 5, 5, 2]), argmax::<f32>(&[])), (1, 0));
}

#[test]
fn the_baseline_answers_the_training_mean() {
    let m = baseline(&[0.0, 1.0], &[0.25, 0.75]).unwrap();
    assert_eq!((m.mae, m.r2), (0.25, Some(0.0)));
}

#[test]
fn metrics_refuse_what_they_cannot_compare() {
    assert_eq!(regression(&[1.0], &[1.0, 2.0]).unwrap_err().kind, ErrorKind::Shape);
    assert_eq!(regression(&[], &[]).unwrap_err().kind, ErrorKind::BadFile);
    let error = regression(&[1.0, f32::NAN], &[1.0, 2.0]).unwrap_err();
    assert_eq!((error.kind, error.place.as_str()), (ErrorKind::NotFinite, "prediction 1"));
}

#[test]
fn arrays_survive_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made/for/it/x.npy");
    let real = array![[1.5f32, -2.0], [0.25, 3.0]].into_dyn();
    npy::write(&path, real.view()).unwrap();
    assert_eq!(npy::read(&path).unwrap(), Array::F32(real.clone()));
    // Written in Fortran order, read in C order.
    npy::write(&path, real.t()).unwrap();
    let Array::F32(turned) = npy::read(&path).unwrap() else { panic!("not f32") };
    assert_eq!(turned, real.t());
    assert!(turned.is_standard_layout());
    let quantized = array![-128i8, 127].into_dyn();
    npy::write(&path, quantized.view()).unwrap();
    assert_eq!(npy::read(&path).unwrap(), Array::I8(quantized));
    let bytes = ArrayD::<u8>::from_elem(vec![2, 1, 3], 200);
    npy::write(&path, bytes.view()).unwrap();
    let read = npy::read(&path).unwrap();
    assert_eq!((read.shape(), read.type_name()), (&[2, 1, 3][..], "uint8"));
    assert_eq!(read, Array::U8(bytes));
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no partial file is left");
}

#[test]
fn arrays_that_cannot_be_read_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let says = |kind, word: &str| {
        let error = npy::read(&path).unwrap_err();
        assert!(error.kind == kind && error.to_string().contains(word), "{error}");
    };
    says(ErrorKind::MissingFile, "x.npy");
    std::fs::write(&path, b"no array").unwrap();
    says(ErrorKind::BadFile, "not a .npy array");
    npy::write(&path, array![1.0f64, 2.0].into_dyn().view()).unwrap();
    says(ErrorKind::BadFile, "float32, int8, uint8");
    npy::write(&path, array![1u8, 2, 3].into_dyn().view()).unwrap();
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    says(ErrorKind::BadFile, "cut off");
    std::fs::write(&path, [&whole[..], b"xx"].concat()).unwrap();
    says(ErrorKind::BadFile, "2 bytes more");
}
