// SPDX-License-Identifier: GPL-2.0
// A GPIO chip of four lines for the test machine: drives nothing, and counts. Debian's kernel is built without gpio-sim and gpio-mockup.
// /sys/module/menka_gpio/parameters: rises (how often line 1 went high), on_ms (how long it was high last), level (now).
#include <linux/gpio/driver.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#define LINES 4
#define WATCHED 1

static unsigned int rises, on_ms, level;
module_param(rises, uint, 0444);
module_param(on_ms, uint, 0444);
module_param(level, uint, 0444);

static int values[LINES];
static ktime_t since;
static struct platform_device *device;

static void set(struct gpio_chip *chip, unsigned int line, int value)
{
	if (line == WATCHED && !!value != values[line]) {
		if (value) {
			rises++;
			since = ktime_get();
		} else {
			on_ms = ktime_ms_delta(ktime_get(), since);
		}
		level = !!value;
	}
	values[line] = !!value;
}

static int get(struct gpio_chip *chip, unsigned int line)
{
	return values[line];
}

static int output(struct gpio_chip *chip, unsigned int line, int value)
{
	set(chip, line, value);
	return 0;
}

static int input(struct gpio_chip *chip, unsigned int line)
{
	return 0;
}

static struct gpio_chip chip = {
	.label = "menka-test",
	.owner = THIS_MODULE,
	.base = -1,
	.ngpio = LINES,
	.set = set,
	.get = get,
	.direction_output = output,
	.direction_input = input,
};

static int __init begin(void)
{
	int failed;

	device = platform_device_register_simple("menka-gpio", -1, NULL, 0);
	if (IS_ERR(device))
		return PTR_ERR(device);
	chip.parent = &device->dev;
	failed = gpiochip_add_data(&chip, NULL);
	if (failed)
		platform_device_unregister(device);
	return failed;
}

static void __exit end(void)
{
	gpiochip_remove(&chip);
	platform_device_unregister(device);
}

module_init(begin);
module_exit(end);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("GPIO lines that count, for a test machine");
