//! Every page that a person sees, with every sample, read as markup. `tests/browser` looks at the same samples.

mod markup;

use libtest_mimic::Arguments;

fn main() {
    libtest_mimic::run(&Arguments::from_args(), markup::trials()).exit();
}
