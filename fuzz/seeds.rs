//! Writes the good inputs that every target starts from: seeds CORPUS [FOLDER OF PACKAGES]

#[path = "../tests/it/hostile/targets.rs"]
mod targets;

use std::{env, fs, path::Path};

fn main() -> std::io::Result<()> {
    let mut arguments = env::args().skip(1);
    let corpus = arguments.next().unwrap_or_else(|| "corpus".to_owned());
    for target in targets::TARGETS {
        let folder = Path::new(&corpus).join(target.name);
        fs::create_dir_all(&folder)?;
        for (number, seed) in (target.seeds)().iter().enumerate() {
            fs::write(folder.join(format!("seed-{number}")), seed)?;
        }
    }
    // The fixtures, as `fixtures/build.sh` makes them, beside the packages of our own maker.
    for entry in arguments.next().map(fs::read_dir).transpose()?.into_iter().flatten() {
        let path = entry?.path();
        let bytes = fs::read(&path)?;
        let name = path.file_name().unwrap_or_default();
        fs::write(Path::new(&corpus).join("rpm").join(name), &bytes[..bytes.len().min(48 << 10)])?;
    }
    Ok(())
}
