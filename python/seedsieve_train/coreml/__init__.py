"""The network as a Core ML package, for the Neural Engine of Apple's processors."""
