/// A model file: all checks, both network families of this project's own kernels, some scores.
pub fn model(data: &[u8]) {
    if let Err(error) = seedsieve_inference::load_and_score(data) {
        super::assert_for_people(&error);
    }
}
