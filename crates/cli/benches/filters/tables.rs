//! The tables that this program has printed, read again: a page's figure is then of the numbers on that page.

use std::fs;
use std::path::Path;

use crate::WORKS;
use crate::competitors::COMPETITORS;
use crate::figure::Point;

/// The points of the tables in a file, whatever else is in it.
///
/// # Errors
/// A file that cannot be read or has no such table; a row that is not one of these tables', with its line.
pub fn points(path: &Path) -> Result<Vec<Point>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let (mut work, mut points) = (None, Vec::new());
    for (number, line) in text.lines().enumerate() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, first, second, ratio, _, changed, ..] = cells[..] else {
            work = None;
            continue;
        };
        if second == "CPU s" {
            work = WORKS.iter().find(|work| work.name == first).map(|work| work.name);
        }
        let competitor = COMPETITORS.iter().find(|competitor| competitor.name == first);
        let (Some(work), Some(competitor)) = (work, competitor) else { continue };
        let wrong = || format!("{}:{}: {line:?} is no row of these tables", path.display(), number + 1);
        points.push(Point {
            work,
            family: competitor.family,
            name: competitor.name,
            cpu: ratio.parse().map_err(|_| wrong())?,
            changed: part(changed).ok_or_else(wrong)?,
        });
    }
    match points.is_empty() {
        true => Err(format!("{}: it has none of the tables that this benchmark prints", path.display())),
        false => Ok(points),
    }
}

/// Of "lost; moved of all": lost and moved, as a part of all.
fn part(cell: &str) -> Option<f64> {
    let (lost, rest) = cell.split_once("; ")?;
    let (moved, all) = rest.split_once(" of ")?;
    let [lost, moved, all] = [lost, moved, all].map(|number| number.parse::<f64>());
    Some((lost.ok()? + moved.ok()?) / all.ok()?.max(1.0))
}
