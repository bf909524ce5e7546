//! Numbers of the ONNX schema (onnx.proto, IR version 3 and later).

/// Fields of messages, by the message and what they hold.
#[allow(dead_code, reason = "each feature reads or writes some of them")]
pub mod field {
    pub const MODEL_PRODUCER: u64 = 2;
    pub const MODEL_GRAPH: u64 = 7;
    pub const MODEL_OPSETS: u64 = 8;
    pub const MODEL_PROPERTIES: u64 = 14;
    pub const OPSET_DOMAIN: u64 = 1;
    pub const OPSET_VERSION: u64 = 2;
    pub const PROPERTY_KEY: u64 = 1;
    pub const PROPERTY_VALUE: u64 = 2;
    pub const GRAPH_NODES: u64 = 1;
    pub const GRAPH_INITIALIZERS: u64 = 5;
    pub const GRAPH_INPUTS: u64 = 11;
    pub const GRAPH_OUTPUTS: u64 = 12;
    /// What an exporter notes of the values between operators.
    pub const GRAPH_VALUES: u64 = 13;
    pub const NODE_INPUTS: u64 = 1;
    pub const NODE_OUTPUTS: u64 = 2;
    pub const NODE_NAME: u64 = 3;
    pub const NODE_OPERATOR: u64 = 4;
    pub const NODE_ATTRIBUTES: u64 = 5;
    pub const ATTRIBUTE_NAME: u64 = 1;
    pub const ATTRIBUTE_FLOAT: u64 = 2;
    pub const ATTRIBUTE_INTEGER: u64 = 3;
    pub const ATTRIBUTE_STRING: u64 = 4;
    pub const ATTRIBUTE_TENSOR: u64 = 5;
    pub const ATTRIBUTE_INTEGERS: u64 = 8;
    pub const ATTRIBUTE_TYPE: u64 = 20;
    pub const TENSOR_AXES: u64 = 1;
    pub const TENSOR_ELEMENT: u64 = 2;
    pub const TENSOR_FLOATS: u64 = 4;
    pub const TENSOR_NAME: u64 = 8;
    pub const TENSOR_BYTES: u64 = 9;
    pub const TENSOR_LOCATION: u64 = 14;
    pub const VALUE_NAME: u64 = 1;
    pub const VALUE_TYPE: u64 = 2;
    pub const TYPE_TENSOR: u64 = 1;
    pub const TENSOR_TYPE_ELEMENT: u64 = 1;
    pub const TENSOR_TYPE_SHAPE: u64 = 2;
    pub const SHAPE_AXES: u64 = 1;
    pub const AXIS_SIZE: u64 = 1;
    pub const AXIS_NAME: u64 = 2;
}

/// Types of a tensor's elements.
#[allow(dead_code, reason = "as above")]
pub mod element {
    pub const FLOAT32: u64 = 1;
    pub const UINT8: u64 = 2;
    pub const INT8: u64 = 3;
    pub const INT32: u64 = 6;
    pub const INT64: u64 = 7;
    pub const FLOAT16: u64 = 10;
}
