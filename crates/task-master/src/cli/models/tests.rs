use super::*;

#[test]
fn sizes_are_told_in_powers_of_ten() {
    for (bytes, told) in [
        (0, "0 kB"),
        (1, "1 kB"),
        (98_362_432, "98 MB"),
        (999_400_000, "999 MB"),
        (999_999_999, "1.0 GB"),
        (1_117_320_768, "1.1 GB"),
        (2_497_280_256, "2.5 GB"),
        (42_500_000_000, "42.5 GB"),
    ] {
        assert_eq!(size(bytes), told);
    }
}
