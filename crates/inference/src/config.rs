/// Settings of the seed filter.
///
/// Windows of other sizes than
/// [`seedsieve_encoding::WINDOW_SIZE`], [`UPSTREAM`](seedsieve_encoding::UPSTREAM) and
/// [`DOWNSTREAM`](seedsieve_encoding::DOWNSTREAM) are refused when a model is loaded, so that a configuration cannot
/// disagree with the encoding.
#[derive(Debug, Clone, PartialEq)]
pub struct SeedFilterConfig {
    /// Viability threshold in [0, 1]: seeds that score below it are dropped. Default: 0.3.
    pub threshold: f32,
    /// A chunk (-K) of fewer reads is not filtered. Default: 64.
    pub min_batch_size: usize,
    /// Positions of a context window. Default: 128.
    pub window_size: usize,
    /// Bases before the seed. Default: 32.
    pub upstream_context: usize,
    /// Bases after the seed. Default: 32.
    pub downstream_context: usize,
    /// Take the INT8 model where there is a choice. Default: true.
    pub prefer_quantized: bool,
}

impl Default for SeedFilterConfig {
    fn default() -> Self {
        Self {
            threshold: 0.3,
            min_batch_size: 64,
            window_size: seedsieve_encoding::WINDOW_SIZE,
            upstream_context: seedsieve_encoding::UPSTREAM,
            downstream_context: seedsieve_encoding::DOWNSTREAM,
            prefer_quantized: true,
        }
    }
}
