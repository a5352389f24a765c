//! Nobody calls anybody that the map doesn't show.

use anyhow::Result;
use pas_tests::{checked_in, map};

#[test]
fn the_map_that_is_checked_in_is_what_the_code_calls() -> Result<()> {
    checked_in::hold("contracts/map.snap", &map::map()?)
}

#[test]
fn a_service_calls_others_from_its_client_alone() -> Result<()> {
    assert_eq!(map::strays()?, []);
    Ok(())
}
