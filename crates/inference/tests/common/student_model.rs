//! Student networks of random weights: the ONNX file, and the network's scores computed from the same numbers without any
//! of the kernels' code.
#![allow(dead_code, reason = "tests and benchmarks use their own parts")]

/// A dense layer with its ReLU and rounding, or the last one.
pub struct RandomLayer {
    pub inputs: usize,
    pub outputs: usize,
    /// Shape (inputs, outputs), row-major.
    pub weights: Vec<i8>,
    pub biases: Vec<i32>,
    pub weight_scales: Vec<f32>,
    /// Steps of the output; of no meaning in the last layer.
    pub output_scale: f32,
}

/// A network; each layer's outputs are the next one's inputs, the last has one.
pub struct RandomStudent {
    pub layers: Vec<RandomLayer>,
}

/// Xorshift: enough for test data.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 |= 1 << 63;
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 16
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// From -1 to 1.
    pub fn fraction(&mut self) -> f32 {
        self.below(2_000_001) as f32 / 1e6 - 1.0
    }
}

/// Features as seeds have them: two masks of 128 matches that end somewhere, mostly matching, and 32 numbers.
pub fn mask_features(seeds: usize, generator_seed: u64) -> Vec<u8> {
    let mut random = Random(generator_seed);
    let mut features = Vec::with_capacity(seeds * 288);
    for _ in 0..seeds {
        for _ in 0..2 {
            let (end, differing) = (random.below(129), [3, 15, 300, 750][random.below(4) as usize]);
            features.extend((0..128).map(|at| u8::from(at < end && random.below(1000) >= differing)));
        }
        features.extend((0..18).map(|_| random.below(256) as u8));
        features.extend([0; 14]);
    }
    features
}

impl RandomStudent {
    /// A network of `sizes`, inputs first, with weights that use all of eight bits; about half of the sums are positive,
    /// and some saturate.
    pub fn new(sizes: &[usize], generator_seed: u64) -> Self {
        let mut random = Random(generator_seed);
        let mut input_scale = 1.0;
        let mut layers = Vec::new();
        for pair in sizes.windows(2) {
            let (inputs, outputs) = (pair[0], pair[1]);
            let weights = (0..inputs * outputs).map(|_| random.below(256) as u8 as i8).collect();
            let spread = 75.0 * 100.0 * (inputs as f32).sqrt();
            let biases = (0..outputs).map(|_| (random.fraction() * spread) as i32).collect();
            let weight_scales: Vec<f32> = (0..outputs).map(|_| 0.01 * (1.2 + random.fraction())).collect();
            let output_scale = spread * 0.01 * input_scale / 150.0;
            let last = layers.len() + 2 == sizes.len();
            let weight_scales = match last {
                true => vec![3.0 / (spread * input_scale); outputs],
                false => weight_scales,
            };
            layers.push(RandomLayer { inputs, outputs, weights, biases, weight_scales, output_scale });
            input_scale = output_scale;
        }
        Self { layers }
    }

    /// The viability of one seed.
    pub fn reference(&self, features: &[u8]) -> f64 {
        let mut values: Vec<i64> = features.iter().map(|&value| value.into()).collect();
        let mut input_scale = 1.0f32;
        let (last, hidden) = self.layers.split_last().unwrap();
        let sum = |layer: &RandomLayer, values: &[i64], output: usize| -> i64 {
            let weight = |input: usize| i64::from(layer.weights[input * layer.outputs + output]);
            i64::from(layer.biases[output])
                + values.iter().enumerate().map(|(input, value)| weight(input) * value).sum::<i64>()
        };
        for layer in hidden {
            let rounded = |output: usize| {
                let multiplier = layer.weight_scales[output] * input_scale / layer.output_scale;
                let value = sum(layer, &values, output).max(0) as f32 * multiplier;
                value.round_ties_even().min(255.0) as i64
            };
            values = (0..layer.outputs).map(rounded).collect();
            input_scale = layer.output_scale;
        }
        let logit = sum(last, &values, 0) as f64 * f64::from(last.weight_scales[0]) * f64::from(input_scale);
        1.0 / (1.0 + (-logit).exp())
    }

    /// The ONNX file, with QuantizeLinear and DequantizeLinear pairs; weights as (outputs, inputs) with transB, or the
    /// other way round.
    pub fn to_onnx(&self, outputs_first: bool) -> Vec<u8> {
        self.to_onnx_of_version("", outputs_first)
    }

    /// The same of another version of the features, as the end of what the file says.
    pub fn to_onnx_of_version(&self, version: &str, outputs_first: bool) -> Vec<u8> {
        let mut graph = Graph::default();
        graph.round_trip("features", "input", 1.0);
        let mut value = "input".to_owned();
        let mut input_scale = 1.0;
        for (number, layer) in self.layers.iter().enumerate() {
            let last = number + 1 == self.layers.len();
            let gemm = format!("gemm{number}");
            let weights = if outputs_first { transposed(layer) } else { layer.weights.clone() };
            let axes = if outputs_first { [layer.outputs, layer.inputs] } else { [layer.inputs, layer.outputs] };
            let bytes: Vec<u8> = weights.iter().map(|&weight| weight as u8).collect();
            let axis = u64::from(!outputs_first);
            graph.dequantised(&format!("{gemm}_weights"), 3, &axes, &bytes, &layer.weight_scales, axis);
            let bytes: Vec<u8> = layer.biases.iter().flat_map(|bias| bias.to_le_bytes()).collect();
            let scales: Vec<f32> = layer.weight_scales.iter().map(|scale| scale * input_scale).collect();
            graph.dequantised(&format!("{gemm}_biases"), 6, &[layer.outputs], &bytes, &scales, 0);
            let inputs = [value.as_str(), &format!("{gemm}_weights"), &format!("{gemm}_biases")];
            let attributes: &[(&str, u64)] = if outputs_first { &[("transB", 1)] } else { &[] };
            graph.node("Gemm", &inputs, &gemm, attributes);
            if last {
                graph.node("Sigmoid", &[&gemm], "sigmoid", &[]);
                graph.constant("axes", 7, &[1], &1i64.to_le_bytes());
                graph.node("Squeeze", &["sigmoid", "axes"], "viability", &[]);
            } else {
                let (relu, rounded) = (format!("relu{number}"), format!("rounded{number}"));
                graph.node("Relu", &[&gemm], &relu, &[]);
                graph.round_trip(&relu, &rounded, layer.output_scale);
                value = rounded;
                input_scale = layer.output_scale;
            }
        }
        graph.file(self.layers[0].inputs, version)
    }
}

fn transposed(layer: &RandomLayer) -> Vec<i8> {
    let pairs = (0..layer.outputs).flat_map(|output| (0..layer.inputs).map(move |input| (input, output)));
    pairs.map(|(input, output)| layer.weights[input * layer.outputs + output]).collect()
}

/// As much of a writer of ONNX files as this network needs (onnx.proto, IR version 8, operators of version 17).
#[derive(Default)]
struct Graph {
    nodes: Vec<u8>,
    constants: Vec<u8>,
}

impl Graph {
    fn node(&mut self, operator: &str, inputs: &[&str], output: &str, attributes: &[(&str, u64)]) {
        let mut node = Vec::new();
        inputs.iter().for_each(|input| bytes(&mut node, 1, input.as_bytes()));
        bytes(&mut node, 2, output.as_bytes());
        bytes(&mut node, 3, output.as_bytes());
        bytes(&mut node, 4, operator.as_bytes());
        for (name, value) in attributes {
            let mut attribute = Vec::new();
            bytes(&mut attribute, 1, name.as_bytes());
            integer(&mut attribute, 3, *value);
            integer(&mut attribute, 20, 2);
            bytes(&mut node, 5, &attribute);
        }
        bytes(&mut self.nodes, 1, &node);
    }

    fn constant(&mut self, name: &str, element: u64, axes: &[usize], values: &[u8]) {
        let mut tensor = Vec::new();
        axes.iter().for_each(|&axis| integer(&mut tensor, 1, axis as u64));
        integer(&mut tensor, 2, element);
        bytes(&mut tensor, 8, name.as_bytes());
        bytes(&mut tensor, 9, values);
        bytes(&mut self.constants, 5, &tensor);
    }

    fn floats(&mut self, name: &str, axes: &[usize], values: &[f32]) {
        let values: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, 1, axes, &values);
    }

    fn round_trip(&mut self, input: &str, output: &str, scale: f32) {
        let (scale_name, zero, quantised) =
            (format!("{output}_scale"), format!("{output}_zero_point"), format!("{output}_quantised"));
        self.floats(&scale_name, &[], &[scale]);
        self.constant(&zero, 2, &[], &[0]);
        self.node("QuantizeLinear", &[input, &scale_name, &zero], &quantised, &[]);
        self.node("DequantizeLinear", &[&quantised, &scale_name, &zero], output, &[]);
    }

    fn dequantised(&mut self, name: &str, element: u64, axes: &[usize], values: &[u8], scales: &[f32], axis: u64) {
        let names = [format!("{name}_integers"), format!("{name}_scales"), format!("{name}_zero_points")];
        self.constant(&names[0], element, axes, values);
        self.floats(&names[1], &[scales.len()], scales);
        self.constant(&names[2], element, &[scales.len()], &vec![0; scales.len() * if element == 6 { 4 } else { 1 }]);
        self.node("DequantizeLinear", &names.each_ref().map(String::as_str), name, &[("axis", axis)]);
    }

    fn file(self, features: usize, version: &str) -> Vec<u8> {
        let mut graph = self.nodes;
        bytes(&mut graph, 2, b"student");
        graph.extend(self.constants);
        bytes(&mut graph, 11, &value("features", &[None, Some(features)]));
        bytes(&mut graph, 12, &value("viability", &[None]));
        let mut opset = Vec::new();
        bytes(&mut opset, 1, b"");
        integer(&mut opset, 2, 17);
        let mut file = Vec::new();
        integer(&mut file, 1, 8);
        bytes(&mut file, 2, b"seedsieve's tests");
        bytes(&mut file, 7, &graph);
        bytes(&mut file, 8, &opset);
        let window = format!("student/{features}{version}");
        for (key, value) in [
            ("format", "1"),
            ("name", "random_student"),
            ("window", &window),
            ("label_policy", "own-extension"),
            ("label_threshold", "30"),
            ("threshold", "0.25"),
            ("dataset_sha256", "00"),
            ("parameters", "4913"),
            ("trained_on", "nothing"),
        ] {
            let mut property = Vec::new();
            bytes(&mut property, 1, format!("seedsieve.{key}").as_bytes());
            bytes(&mut property, 2, value.as_bytes());
            bytes(&mut file, 14, &property);
        }
        file
    }
}

fn value(name: &str, axes: &[Option<usize>]) -> Vec<u8> {
    let mut shape = Vec::new();
    for axis in axes {
        let mut size = Vec::new();
        match axis {
            Some(fixed) => integer(&mut size, 1, *fixed as u64),
            None => bytes(&mut size, 2, b"batch"),
        }
        bytes(&mut shape, 1, &size);
    }
    let (mut tensor, mut kind, mut value) = (Vec::new(), Vec::new(), Vec::new());
    integer(&mut tensor, 1, 1);
    bytes(&mut tensor, 2, &shape);
    bytes(&mut kind, 1, &tensor);
    bytes(&mut value, 1, name.as_bytes());
    bytes(&mut value, 2, &kind);
    value
}

fn integer(message: &mut Vec<u8>, number: u64, value: u64) {
    varint(message, number << 3);
    varint(message, value);
}

fn bytes(message: &mut Vec<u8>, number: u64, value: &[u8]) {
    varint(message, number << 3 | 2);
    varint(message, value.len() as u64);
    message.extend_from_slice(value);
}

fn varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push(value as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}
