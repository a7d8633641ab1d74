//! Kernels: pure functions over slices of f64. They never see NaN or null and know no bars, files or names.
