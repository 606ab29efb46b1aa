//! What can be told of the kernels without a GPU: each one that the host launches is there, as it launches it.

use std::fs;

#[test]
fn the_host_launches_what_there_is() {
    let mut host = fs::read_to_string("src/metal.rs").unwrap();
    host.retain(|letter| !letter.is_whitespace());
    for (file, kernels) in [
        ("reduce", vec!["sum_f32"]),
        ("map", vec!["axpy_f32", "relu_f32"]),
        ("matmul", vec!["matmul_f32"]),
    ] {
        let source = fs::read_to_string(format!("kernels/{file}.metal")).unwrap();
        assert_eq!(source.matches("kernel void").count(), kernels.len());
        for kernel in kernels {
            let start = source
                .find(&format!("kernel void {kernel}("))
                .expect(kernel);
            let signature = &source[start..start + source[start..].find('{').unwrap()];
            let parameters = signature.matches("[[buffer(").count();
            let launch = host
                .find(&format!("self.launch(\"{kernel}\""))
                .expect(kernel);
            let call = &host[launch..launch + host[launch..].find(';').unwrap()];
            let lists: Vec<&str> = call
                .split('[')
                .skip(1)
                .map(|rest| rest.split(']').next().unwrap())
                .collect();
            let given: usize = lists
                .iter()
                .map(|list| list.split(',').filter(|item| !item.is_empty()).count())
                .sum();
            assert_eq!(given, parameters, "{kernel}");
        }
    }
}
