//! What `gatelet config example --profile` prints is a configuration, in both forms the same.

use super::super::{Config, PROFILES, environment_lines};
use super::{Pretended, warnings};

fn with_secrets(text: &str) -> Pretended {
    Pretended::config(text)
        .file("/run/secrets/agent", "0123456789abcdef0123456789abcdef")
        .file("/run/secrets/backend", "0123456789abcdef0123456789abcdef")
        .file("/run/secrets/acme-backend", "0123456789abcdef0123456789abcdef")
        .file("/run/secrets/alice-password", "correct horse battery")
}

/// The lines of an environment file.
pub(super) fn variables(lines: &str) -> Vec<(&str, &str)> {
    let lines = lines.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once('=').unwrap()).collect()
}

#[test]
fn every_profile_is_a_good_configuration_as_a_file_and_as_an_environment() {
    for profile in PROFILES {
        let config =
            with_secrets(profile.text).load(&[]).unwrap_or_else(|error| panic!("{}: {error}", profile.name));
        assert_eq!(warnings(&config), [""; 0], "{}", profile.name);
        let lines = environment_lines(profile.text);
        let from_lines =
            with_secrets("").load(&variables(&lines)).unwrap_or_else(|error| panic!("{lines}\n{error}"));
        let whole = |config: &Config| (config.policy.clone(), config.declared.clone());
        assert_eq!(whole(&from_lines), whole(&config), "{lines}");
        // Nothing that was said about a key is lost on the way.
        for comment in profile.text.lines().filter(|line| line.starts_with('#')) {
            assert!(lines.contains(&format!("{comment}\n")), "{}: {comment}", profile.name);
        }
    }
}

#[test]
fn environment_lines_stand_under_their_comments() {
    let text = "# Where.\npublic_url = \"https://id.example\"\n\n# Who.\n[[tenants]]\n# Its id.\nid = \"acme\"\n\
                [login]\nmax_parallel = 3\n";
    assert_eq!(
        environment_lines(text).split_once("from 0.\n#\n").unwrap().1,
        "# Where.\nGATELET_PUBLIC_URL=https://id.example\n\n# Who.\n# Its id.\nGATELET_TENANTS__0__ID=acme\n\
         GATELET_LOGIN__MAX_PARALLEL=3\n"
    );
}
