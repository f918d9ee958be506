use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;

/// As xz packs at its best, which archives were packed with until 2021.
const XZ: &[u8] = &[
    4, 253, 55, 122, 88, 90, 0, 0, 1, 105, 34, 222, 54, 2, 0, 33, 1, 28, 0, 0, 0, 16, 207, 88, 204,
    1, 0, 42, 8, 0, 0, 0, 43, 0, 0, 0, 60, 104, 49, 62, 79, 108, 100, 60, 47, 104, 49, 62, 60, 112,
    62, 80, 97, 99, 107, 101, 100, 32, 108, 111, 110, 103, 32, 97, 103, 111, 46, 60, 47, 112, 62,
    0, 0, 67, 146, 17, 219, 0, 1, 63, 43, 87, 102, 228, 212, 144, 66, 153, 13, 1, 0, 0, 0, 0, 1,
    89, 90,
];

/// A cluster of three pages, a text, a style and a list as libzim 9 packed it.
const LIBZIM: &[u8] = &[
    5, 40, 181, 47, 253, 0, 104, 165, 8, 0, 66, 142, 47, 31, 160, 61, 108, 162, 10, 24, 85, 85, 47,
    238, 251, 129, 159, 33, 155, 89, 109, 242, 87, 211, 230, 169, 206, 8, 41, 229, 188, 219, 231,
    182, 13, 150, 201, 46, 238, 55, 132, 89, 44, 211, 117, 146, 241, 193, 254, 171, 172, 255, 174,
    67, 163, 184, 21, 97, 247, 28, 143, 106, 166, 213, 174, 127, 45, 171, 217, 197, 253, 163, 181,
    206, 54, 228, 220, 175, 26, 35, 25, 95, 124, 173, 174, 58, 95, 174, 131, 23, 118, 239, 77, 236,
    161, 149, 108, 181, 70, 244, 97, 191, 231, 93, 197, 185, 135, 92, 181, 216, 126, 107, 13, 99,
    55, 155, 177, 113, 114, 17, 107, 21, 108, 187, 231, 82, 87, 243, 113, 179, 254, 105, 21, 35,
    58, 177, 42, 79, 155, 234, 61, 46, 23, 213, 156, 45, 231, 105, 158, 106, 182, 109, 236, 163,
    246, 138, 63, 141, 13, 39, 45, 50, 182, 177, 15, 168, 233, 254, 95, 127, 55, 19, 239, 214, 110,
    60, 246, 173, 13, 0, 194, 144, 162, 167, 89, 2, 64, 224, 144, 0, 0, 16, 1, 39, 40, 192, 38, 32,
    42, 118, 81, 17, 84, 3, 203, 187, 229, 167, 221, 151, 16, 175, 195, 60, 89, 36, 173, 177, 116,
    61, 86, 132, 217, 254, 220, 4, 219, 73, 72, 184, 152, 222, 13, 54, 92, 140, 195, 228, 145, 226,
    44, 206, 235, 198, 0, 188, 17, 230, 47, 148, 10, 142, 114, 199, 31, 59, 178, 64, 103, 86, 75,
    121, 208, 225, 100, 29, 124, 25, 47, 60, 51, 11, 167, 173, 84, 11,
];

/// A list and a blob with `width` bytes for a place, which says that it has `says` bytes.
fn unpacked(says: u64, has: usize, width: usize) -> Vec<u8> {
    let list = 2 * width as u64;
    let mut bytes = list.to_le_bytes()[..width].to_vec();
    bytes.extend(&(list + says).to_le_bytes()[..width]);
    bytes.resize(bytes.len() + has, b' ');
    bytes
}

fn packed(unpacked: &[u8], info: u8) -> Vec<u8> {
    let mut bytes = compress_to_vec(unpacked, CompressionLevel::Fastest);
    bytes.insert(0, info);
    bytes
}

#[test]
fn what_libzim_and_xz_packed_is_unpacked() {
    let cluster = Cluster::unpack(XZ).unwrap();
    assert_eq!(cluster.blob(0), Some(&b"<h1>Old</h1><p>Packed long ago.</p>"[..]));
    assert_eq!(cluster.blob(1), None);
    let cluster = Cluster::unpack(LIBZIM).unwrap();
    let blobs: Vec<&[u8]> = (0..).map_while(|it| cluster.blob(it)).collect();
    for number in 0..3 {
        let begin = format!("<html><head><title>T{number}</title></head><body><h1>Page {number}");
        let is_page = |it: &&&[u8]| it.starts_with(begin.as_bytes()) && it.ends_with(b"</html>");
        assert_eq!(blobs.iter().filter(is_page).count(), 1, "{number}");
    }
    assert!(blobs.contains(&&b"Plain notes on barley."[..]));
}

#[test]
fn a_cluster_that_was_made_to_do_harm_is_refused() {
    #[track_caller]
    fn check(cluster: &[u8], expected: &str) {
        let why = Cluster::unpack(cluster).unwrap_err().to_string();
        assert!(why.contains(expected), "{why}");
    }
    let most = usize::try_from(LARGEST_BYTES).unwrap();
    let bomb = packed(&unpacked(LARGEST_BYTES, most, 4), 5);
    assert!(bomb.len() < most / 1000, "{}", bomb.len());
    check(&bomb, "more in it than");
    check(&packed(&unpacked(u64::MAX / 2, 9, 8), 0x15), "more in it than");
    check(&packed(&unpacked(1000, 9, 4), 5), "cut off");
    check(&[5], "");
    check(&[], "");
    check(&[0, 0, 0, 0, 0], "list of a cluster");
    check(&[0, 3, 0, 0, 0], "list of a cluster");
    check(&[0, 8, 0, 0, 0, 7, 0, 0, 0], "list of a cluster");
    check(&[0, 255, 255, 255, 255], "more in it than");
    check(&[3, 8, 0, 0, 0], "bzip2");
    check(&[7, 8, 0, 0, 0], "not known");
}

#[test]
fn no_blob_is_outside_of_its_cluster() {
    // Three places, the second of which is behind the third.
    let cluster =
        Cluster::unpack(&[0, 12, 0, 0, 0, 99, 0, 0, 0, 14, 0, 0, 0, b'a', b'b'][..]).unwrap();
    assert_eq!((cluster.blob(0), cluster.blob(1), cluster.blob(u32::MAX)), (None, None, None));
}

#[test]
fn a_cluster_with_any_changed_byte_is_read_or_refused() {
    for whole in [XZ, LIBZIM] {
        for at in 0..whole.len() {
            for change in [1, 0x10, 0x80, 0xff] {
                let mut changed = whole.to_vec();
                changed[at] ^= change;
                let read = Cluster::unpack(changed.as_slice()).map_or(0, |it| it.len());
                assert!(read <= LARGEST_BYTES, "{at} {change}");
            }
            let cut = Cluster::unpack(&whole[..at]);
            assert!(cut.is_err() || at > whole.len() - 40, "{at}");
        }
    }
}
