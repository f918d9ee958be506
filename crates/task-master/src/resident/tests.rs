use super::*;

const PROGRAM: &str = "/usr/bin/task master";

fn entry(first: &str, anonymous: u32) -> String {
    format!("{first}\nSize: 4 kB\nRss: 4 kB\nAnonymous:      {anonymous} kB\nVmFlags: rd mr\n")
}

fn line(range: &str, may: &str, file: &str) -> String {
    format!("{range} {may} 00001000 fe:00 1234                       {file}")
}

#[test]
fn code_and_constants_of_the_program_are_what_can_be_read_again() {
    let map = [
        entry(&line("1000-3000", "r--p", PROGRAM), 0),
        entry(&line("3000-7fff00000000", "r-xp", PROGRAM), 0),
    ];
    let found = untouched(&map.concat(), PROGRAM);
    assert_eq!(found, [0x1000..0x3000, 0x3000..0x7fff_0000_0000]);
}

#[test]
fn what_was_written_or_is_not_the_programs_is_left_alone() {
    let map = [
        entry(&line("1000-2000", "r--p", PROGRAM), 4),
        entry(&line("2000-3000", "rw-p", PROGRAM), 0),
        entry(&line("3000-4000", "r--s", PROGRAM), 0),
        entry(&line("4000-5000", "r-xp", "/usr/lib/libc.so.6"), 0),
        entry(&line("5000-6000", "r-xp", "/copy/usr/bin/task master"), 0),
        entry("6000-7000 r--p 00000000 00:00 0 ", 0),
        entry("7000-8000 r-xp 00000000 00:00 0    [vdso]", 0),
    ];
    let found = untouched(&map.concat(), PROGRAM);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_map_that_ends_early_or_is_none_gives_nothing() {
    let begun = line("1000-2000", "r-xp", PROGRAM);
    for map in ["", "\n", "Anonymous: 0 kB", "x-y r-xp", &begun] {
        assert!(untouched(map, PROGRAM).is_empty(), "{map}");
    }
}

#[test]
fn the_program_goes_on_after_its_code_was_given_back() {
    let map = entry(&line("1000-3000", "r-xp", PROGRAM), 0);
    give_back_code();
    assert_eq!(untouched(&map, PROGRAM).first(), Some(&(0x1000..0x3000)));
}
