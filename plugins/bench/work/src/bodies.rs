//! Floating point: bodies that attract each other.

/// How many bodies there are.
const BODIES: usize = 5;

#[derive(Clone, Copy, Debug, Default)]
struct Body {
    place: [f64; 3],
    speed: [f64; 3],
    mass: f64,
}

/// Lets five bodies move for this many steps; gives the bits of where the first one came to.
pub fn bodies(steps: u64) -> u64 {
    let mut all = [Body::default(); BODIES];
    for (index, body) in all.iter_mut().enumerate() {
        let far = index as f64 * 1.7 + 0.3;
        *body = Body {
            place: [far, 0.5 * far - 1.0, 0.1 * far],
            speed: [0.01 * far, 0.3 / (far + 1.0), -0.02],
            mass: 1.0 / (far + 0.5),
        };
    }
    for _ in 0..steps {
        step(&mut all, 0.001);
    }
    let [x, y, z] = all[0].place;
    (x + y + z).to_bits()
}

fn step(all: &mut [Body; BODIES], time: f64) {
    for one in 0..BODIES {
        for other in one + 1..BODIES {
            let mut apart = [0.0; 3];
            for (axis, apart) in apart.iter_mut().enumerate() {
                *apart = all[one].place[axis] - all[other].place[axis];
            }
            let square = apart.iter().map(|part| part * part).sum::<f64>() + 0.01;
            let pull = time / (square * square.sqrt());
            for (axis, apart) in apart.iter().enumerate() {
                all[one].speed[axis] -= apart * all[other].mass * pull;
                all[other].speed[axis] += apart * all[one].mass * pull;
            }
        }
    }
    for body in all {
        for (place, speed) in body.place.iter_mut().zip(body.speed) {
            *place += time * speed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_move() {
        assert_ne!(bodies(0), bodies(1));
        assert!(f64::from_bits(bodies(1000)).is_finite());
    }
}
