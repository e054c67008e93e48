//! Device names.

use autoal_models::ComputeDevice;

#[test]
fn cpu_is_the_flex_backend_under_another_name() {
    let cpu = ComputeDevice::parse("cpu").expect("flex is compiled in");
    let flex = ComputeDevice::parse("flex").expect("flex is compiled in");
    assert_eq!(cpu.burn(), flex.burn());
    assert_eq!(cpu.name(), "cpu");
    assert!(!cpu.burn().is_autodiff());
}

#[test]
fn what_cannot_be_used_is_an_error_with_the_fix() {
    let message = |name: &str| ComputeDevice::parse(name).expect_err(name).to_string();
    assert!(message("gpu").contains("unknown, expected `cpu`"), "{}", message("gpu"));
    assert!(message("").contains("unknown"));
    assert!(message("flex:1").contains("drop `:1`"), "{}", message("flex:1"));
    #[cfg(not(feature = "cuda"))]
    assert_eq!(message("cuda:0"), "device `cuda:0`: not compiled in: rebuild with `--features cuda`");
}

#[test]
fn the_list_names_every_backend_and_finds_the_cpu() {
    let list = ComputeDevice::list();
    assert_eq!(list.len(), 7);
    let flex = list.iter().find(|backend| backend.name == "flex").expect("listed");
    assert_eq!((flex.compiled, flex.devices.as_slice()), (true, ["flex".to_string()].as_slice()));
    for backend in list.iter().filter(|backend| !backend.compiled) {
        assert!(backend.devices.is_empty() && backend.note.contains("--features"), "{backend:?}");
    }
}
