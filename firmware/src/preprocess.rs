//! From a camera frame to the input tensor: crop, integer area resize, centring to int8.
