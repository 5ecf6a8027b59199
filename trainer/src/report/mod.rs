//! Tables, pictures and the self-contained HTML report.
